// Overlays open over the current page and close in every way, with the right address, title and focus. The other end-to-end
// tests and the last test here cover overlays without JavaScript.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { COLLEAGUE, COMPANY, KEYS, USERS, addKey, addUser, overlay, userRow, revokeKey, row, setUp } from './support/steps.mjs';

const LIST_TITLE = `API Keys – Company Settings – ${COMPANY}`;
const scripted = (name, run) => e2e(name, run, { needsJavaScript: true });
const link = (page, name) => page.getByRole('link', { name, exact: true });
const modal = (page) => page.locator('dialog:modal');
const none = (page) => modal(page).waitFor({ state: 'detached' });
const focused = (page, selector) => page.locator(`${selector}:focus`).waitFor();
/** Marks the page. `stays` fails if the page has been reloaded since. */
const mark = (page) => page.evaluate(() => (window.marked = true));
const stays = async (page) => assert.ok(await page.evaluate(() => window.marked), 'the page was reloaded');
const movement = (page) => modal(page).evaluate((dialog) => getComputedStyle(dialog).animationName);
const says = async (page, path, title) => {
  await page.waitForURL(`**${path}`);
  // The address changes shortly before the title.
  await page.waitForFunction((expected) => document.title === expected, title);
};

scripted('an overlay opens over the list and closes by Esc, Cancel, its backdrop and Back', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await mark(page);
  const closings = {
    Esc: () => page.keyboard.press('Escape'),
    Cancel: () => link(page, 'Cancel').click(),
    backdrop: () => page.mouse.click(20, 400),
    Back: () => page.goBack(),
  };
  for (const close of Object.values(closings)) {
    await link(page, 'Add API Key').press('Enter');
    await focused(page, 'dialog:modal #name');
    await says(page, `${KEYS}/new`, `Add API Key – ${LIST_TITLE}`);
    await close();
    await none(page);
    await says(page, KEYS, LIST_TITLE);
    await focused(page, `a[href="${KEYS}/new"]`);
    await stays(page);
    // A closed dialog gets its event later and is removed then.
    await page.locator('dialog, .backdrop, [inert]').first().waitFor({ state: 'detached' });
  }
  await page.goForward();
  await focused(page, 'dialog:modal #name');
  await says(page, `${KEYS}/new`, `Add API Key – ${LIST_TITLE}`);
  await page.goBack();
  await none(page);
  await stays(page);
});

scripted('each overlay has a sensible initial focus, and Tab does not leave it', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await mark(page);
  const inside = () => page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')));
  const assertFocusStays = async (opener, focus) => {
    const behind = page.url();
    await opener.click();
    await focused(page, `dialog:modal ${focus}`);
    for (let stop = 0; stop < 12; stop += 1) {
      await page.keyboard.press('Tab');
      assert.ok(await inside());
    }
    await page.keyboard.press('Escape');
    await none(page);
    await page.waitForURL(behind);
    await stays(page);
  };
  await assertFocusStays(link(page, 'Add API Key'), '#name');
  await assertFocusStays(row(page, created).getByRole('link', { name: 'Revoke' }), `a[href="${KEYS}"]`);
  await assertFocusStays(link(page, 'Audit trail'), 'h2');
  await link(page, 'Audit trail').click();
  await says(page, '?audit=open', `Audit trail – ${LIST_TITLE}`);
  await link(page, 'Close audit trail').click();
  await none(page);
  await says(page, KEYS, LIST_TITLE);
  await stays(page);

  await page.goto(`${KEYS}/${created.id}`);
  await mark(page);
  await assertFocusStays(link(page, 'Edit'), '#name');
  await assertFocusStays(link(page, 'Rotate'), '[value="24h"]');
  await page.goto(USERS);
  await mark(page);
  await assertFocusStays(link(page, 'Add user'), '#name');
});

scripted('an overlay opened by its address is modal, and closing it only changes the address', async (keydesk, newClient) => {
  const { page } = await newClient({ reducedMotion: 'no-preference' });
  await setUp(page, keydesk);
  const created = await addKey(page, 'ERP Sync Service');
  const deep = [
    [`${KEYS}/new`, '#name', KEYS, LIST_TITLE],
    [`${KEYS}/${created.id}/revoke`, `a[href="${KEYS}"]`, KEYS, LIST_TITLE],
    [`${KEYS}?audit=open`, 'h2', KEYS, LIST_TITLE],
    [`${KEYS}/${created.id}/edit`, '#name', `${KEYS}/${created.id}`, `${created.name} – ${LIST_TITLE}`],
    [`${USERS}/new`, '#name', USERS, `Users – Access Control – ${COMPANY}`],
  ];
  for (const [path, focus, home, title] of deep) {
    await page.goto(path);
    await focused(page, `dialog:modal ${focus}`);
    await mark(page);
    assert.equal(await page.locator('.backdrop, [inert]').count(), 0);
    assert.equal(await movement(page), 'none');
    const entries = await page.evaluate(() => history.length);
    await page.keyboard.press('Escape');
    await none(page);
    await says(page, home, title);
    await stays(page);
    assert.equal(await page.evaluate(() => history.length), entries);
    await focused(page, `a[aria-haspopup][href="${path}"]`);
  }
  // Only overlays that open over a loaded page are animated.
  await link(page, 'Add user').click();
  assert.equal(await movement(page), 'rise');
});

scripted('only its own button closes a new key', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const { key } = await addKey(page, 'ERP Sync Service');
  await page.locator('dialog:modal button:focus').waitFor();
  for (let time = 0; time < 3; time += 1) await page.keyboard.press('Escape');
  await page.mouse.click(20, 400);
  assert.equal(await modal(page).locator('#new-key').textContent(), key);
  await page.getByRole('link', { name: 'I’ve saved this key' }).click();
  await page.waitForURL('**#key-*');
  await none(page);
});

scripted('a refused form stays an overlay over its list', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await link(page, 'Add API Key').first().click();
  await focused(page, 'dialog:modal #name');
  await page.getByRole('button', { name: 'Create key' }).click();
  await focused(page, 'dialog:modal #name[aria-invalid="true"]');
  assert.equal(await page.title(), `Error: Add API Key – ${LIST_TITLE}`);
  await page.keyboard.press('Escape');
  await says(page, KEYS, LIST_TITLE);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
});

scripted('going back from a reloaded overlay shows the page on which it was opened', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, 'ERP Sync Service');
  await page.goto(`${KEYS}/${created.id}`);
  await link(page, 'Revoke').click();
  await modal(page).waitFor();
  await page.reload();
  // The server renders the revocation over the list.
  await modal(page).waitFor();
  await page.goBack();
  await none(page);
  await page.getByRole('heading', { level: 1, name: created.name }).waitFor();
  await says(page, `${KEYS}/${created.id}`, `${created.name} – ${LIST_TITLE}`);
  await page.goForward();
  await page.getByRole('alertdialog', { name: `Revoke ${created.name}?` }).waitFor();
});

scripted('a link that cannot be opened as an overlay opens as a page', async (keydesk, newClient) => {
  const client = await newClient();
  const { page } = client;
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const created = await addKey(page, 'ERP Sync Service');
  const second = await newClient();
  await second.addCookies(await client.cookies());

  await page.goto(USERS);
  await second.page.goto(USERS);
  await userRow(second.page, COLLEAGUE).getByRole('link', { name: 'Delete' }).click();
  await overlay(second.page).getByRole('button', { name: 'Delete user' }).click();
  await second.page.getByRole('status').waitFor();
  await userRow(page, COLLEAGUE).getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('link', { name: 'Back to' }).waitFor();

  await page.goto(KEYS);
  await revokeKey(second.page, created, 'unspecified', '');
  await row(page, created).getByRole('link', { name: 'Revoke' }).click();
  await page.getByText(`${created.name} was already revoked by`).waitFor();

  await page.goto(KEYS);
  await page.context().clearCookies();
  await link(page, 'Audit trail').click();
  await page.waitForURL('**/sign-in?next=*');
  assert.equal(new URL(page.url()).searchParams.get('next'), `${KEYS}?audit=open`);
});

scripted('a link to an overlay can be opened in a new tab', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const [tab] = await Promise.all([page.context().waitForEvent('page'), link(page, 'Audit trail').click({ modifiers: ['ControlOrMeta'] })]);
  await tab.locator('dialog:modal').waitFor();
  assert.equal(await overlay(page).count(), 0);
  assert.equal(new URL(page.url()).search, '');
});

e2e('an overlay makes its page inert, and its backdrop and links lead back', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  for (const back of [(target) => target.mouse.click(20, 400), (target) => link(target, 'Cancel').click()]) {
    await link(page, 'Add API Key').first().click();
    await focused(page, 'dialog[open] #name');
    assert.equal(await page.locator(withJavaScript ? 'dialog:modal' : '.page[inert]').count(), 1);
    await back(page);
    await page.waitForURL(`**${KEYS}`);
    assert.equal(await overlay(page).count(), 0);
  }
});
