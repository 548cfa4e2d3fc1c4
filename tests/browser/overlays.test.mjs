// Overlays open over the page that is there and close in every way; their address, title and focus follow. What the server
// draws for those who have no JavaScript is walked by the journeys, and by the last of these.

import assert from 'node:assert/strict';
import { journey } from './support/journey.mjs';
import { COLLEAGUE, COMPANY, KEYS, USERS, addKey, addUser, overlay, personRow, revokeKey, row, setUp } from './support/steps.mjs';

const LIST_TITLE = `API Keys – Company Settings – ${COMPANY}`;
const scripted = (sentence, walk) => journey(sentence, walk, { needsJavaScript: true });
const link = (page, name) => page.getByRole('link', { name, exact: true });
const modal = (page) => page.locator('dialog:modal');
const none = (page) => modal(page).waitFor({ state: 'detached' });
const focused = (page, selector) => page.locator(`${selector}:focus`).waitFor();
/** Whatever happens next happens on this page, or `stays` says that it was another. */
const mark = (page) => page.evaluate(() => (window.marked = true));
const stays = async (page) => assert.ok(await page.evaluate(() => window.marked), 'it is another page');
const movement = (page) => modal(page).evaluate((dialog) => getComputedStyle(dialog).animationName);
const says = async (page, path, title) => {
  await page.waitForURL(`**${path}`);
  // The address changes a moment before the title does.
  await page.waitForFunction((expected) => document.title === expected, title);
};

scripted('an overlay opens over the list and closes by Esc, Cancel, its backdrop and Back', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await mark(page);
  const ways = {
    Esc: () => page.keyboard.press('Escape'),
    Cancel: () => link(page, 'Cancel').click(),
    backdrop: () => page.mouse.click(20, 400),
    Back: () => page.goBack(),
  };
  for (const close of Object.values(ways)) {
    await link(page, 'Add API Key').press('Enter');
    await focused(page, 'dialog:modal #name');
    await says(page, `${KEYS}/new`, `Add API Key – ${LIST_TITLE}`);
    await close();
    await none(page);
    await says(page, KEYS, LIST_TITLE);
    await focused(page, `a[href="${KEYS}/new"]`);
    await stays(page);
    // A closed dialog is told so a moment later, and goes then.
    await page.locator('dialog, .backdrop, [inert]').first().waitFor({ state: 'detached' });
  }
  await page.goForward();
  await focused(page, 'dialog:modal #name');
  await says(page, `${KEYS}/new`, `Add API Key – ${LIST_TITLE}`);
  await page.goBack();
  await none(page);
  await stays(page);
});

scripted('each overlay begins where its reader begins, and Tab does not leave it', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const made = await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await mark(page);
  const inside = () => page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog')));
  const walk = async (opener, focus) => {
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
  await walk(link(page, 'Add API Key'), '#name');
  await walk(row(page, made).getByRole('link', { name: 'Revoke' }), `a[href="${KEYS}"]`);
  await walk(link(page, 'Audit trail'), 'h2');
  await link(page, 'Audit trail').click();
  await says(page, '?audit=open', `Audit trail – ${LIST_TITLE}`);
  await link(page, 'Close audit trail').click();
  await none(page);
  await says(page, KEYS, LIST_TITLE);
  await stays(page);

  await page.goto(`${KEYS}/${made.id}`);
  await mark(page);
  await walk(link(page, 'Edit'), '#name');
  await walk(link(page, 'Rotate'), `a[href="${KEYS}/${made.id}"]`);
  await page.goto(USERS);
  await mark(page);
  await walk(link(page, 'Add user'), '#name');
});

scripted('an overlay whose address was opened becomes modal, and closing it changes the address alone', async (keydesk, arrive) => {
  const { page } = await arrive({ reducedMotion: 'no-preference' });
  await setUp(page, keydesk);
  const made = await addKey(page, 'ERP Sync Service');
  const deep = [
    [`${KEYS}/new`, '#name', KEYS, LIST_TITLE],
    [`${KEYS}/${made.id}/revoke`, `a[href="${KEYS}"]`, KEYS, LIST_TITLE],
    [`${KEYS}?audit=open`, 'h2', KEYS, LIST_TITLE],
    [`${KEYS}/${made.id}/edit`, '#name', `${KEYS}/${made.id}`, `${made.name} – ${LIST_TITLE}`],
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
  // Only what opens in place moves.
  await link(page, 'Add user').click();
  assert.equal(await movement(page), 'rise');
});

scripted('a new key is closed by its own button alone', async (keydesk, arrive) => {
  const { page } = await arrive();
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

scripted('a refused form stays an overlay over its list', async (keydesk, arrive) => {
  const { page } = await arrive();
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

scripted('going back from an overlay that was loaded anew shows the page that it was opened on', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const made = await addKey(page, 'ERP Sync Service');
  await page.goto(`${KEYS}/${made.id}`);
  await link(page, 'Revoke').click();
  await modal(page).waitFor();
  await page.reload();
  // The server draws the revocation over the list.
  await modal(page).waitFor();
  await page.goBack();
  await none(page);
  await page.getByRole('heading', { level: 1, name: made.name }).waitFor();
  await says(page, `${KEYS}/${made.id}`, `${made.name} – ${LIST_TITLE}`);
  await page.goForward();
  await page.getByRole('alertdialog', { name: `Revoke ${made.name}?` }).waitFor();
});

scripted('what cannot be opened over the page is gone to instead', async (keydesk, arrive) => {
  const visitor = await arrive();
  const { page } = visitor;
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const made = await addKey(page, 'ERP Sync Service');
  const second = await arrive();
  await second.carry(await visitor.cookies());

  await page.goto(USERS);
  await second.page.goto(USERS);
  await personRow(second.page, COLLEAGUE).getByRole('link', { name: 'Delete' }).click();
  await overlay(second.page).getByRole('button', { name: 'Delete user' }).click();
  await second.page.getByRole('status').waitFor();
  await personRow(page, COLLEAGUE).getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('link', { name: 'Back to' }).waitFor();

  await page.goto(KEYS);
  await revokeKey(second.page, made, 'unspecified', '');
  await row(page, made).getByRole('link', { name: 'Revoke' }).click();
  await page.getByText(`${made.name} was already revoked by`).waitFor();

  await page.goto(KEYS);
  await page.context().clearCookies();
  await link(page, 'Audit trail').click();
  await page.waitForURL('**/sign-in?next=*');
  assert.equal(new URL(page.url()).searchParams.get('next'), `${KEYS}?audit=open`);
});

scripted('a link to an overlay opens in a new tab for whoever asks for one', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const [tab] = await Promise.all([page.context().waitForEvent('page'), link(page, 'Audit trail').click({ modifiers: ['ControlOrMeta'] })]);
  await tab.locator('dialog:modal').waitFor();
  assert.equal(await overlay(page).count(), 0);
  assert.equal(new URL(page.url()).search, '');
});

journey('an overlay keeps its page from being used, and its backdrop and its links lead back', async (keydesk, arrive, withJavaScript) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  for (const back of [(where) => where.mouse.click(20, 400), (where) => link(where, 'Cancel').click()]) {
    await link(page, 'Add API Key').first().click();
    await focused(page, 'dialog[open] #name');
    assert.equal(await page.locator(withJavaScript ? 'dialog:modal' : '.page[inert]').count(), 1);
    await back(page);
    await page.waitForURL(`**${KEYS}`);
    assert.equal(await overlay(page).count(), 0);
  }
});
