// How scenes are opened.

export const at = (path) => (page) => page.goto(path);
/** What a link leads to: nothing is done there before it has been reached. */
export const follow = async (page, link) => {
  const before = page.url();
  await link.click();
  await page.waitForURL((url) => url.href !== before);
};
export const submitEmpty = (path, button) => async (page) => {
  await page.goto(path);
  await page.getByRole('button', { name: button }).click();
  await page.locator('[aria-invalid="true"]').first().waitFor();
};
