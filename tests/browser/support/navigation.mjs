// Ways to open a page in a scene.

export const at = (path) => (page) => page.goto(path);
/** Clicks a link and waits for its address. */
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
