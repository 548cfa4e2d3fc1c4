// How scenes are opened.

export const at = (path) => (page) => page.goto(path);
export const submitEmpty = (path, button) => async (page) => {
  await page.goto(path);
  await page.getByRole('button', { name: button }).click();
  await page.locator('[aria-invalid="true"]').first().waitFor();
};
