// People come, prove who they are, look after their account and go: with JavaScript and without.

import assert from 'node:assert/strict';
import { journey } from './support/journey.mjs';
import {
  ACCOUNT,
  ADMIN,
  AUDITOR,
  COLLEAGUE,
  COMPANY,
  KEYS,
  KEY_POLICY,
  SECOND_FACTOR,
  USERS,
  accept,
  addKey,
  addUser,
  awaitCode,
  confirmation,
  events,
  giveCode,
  invite,
  open,
  overlay,
  personRow,
  row,
  setUp,
  setUpSecondFactor,
  signIn,
  signOut,
} from './support/steps.mjs';
import { ready } from './support/visitor.mjs';

const isSignedOut = async (page) => {
  await page.goto(KEYS);
  const { pathname, searchParams } = new URL(page.url());
  assert.deepEqual([pathname, searchParams.get('next')], ['/sign-in', KEYS]);
};
const saySaved = (page) => page.getByRole('status').getByText('Your changes were saved.').waitFor();

journey('an admin invites somebody, who accepts, sets a second factor up and signs in with a code', async (keydesk, arrive) => {
  const admin = await arrive();
  await setUp(admin.page, keydesk);
  const link = await invite(admin.page, COLLEAGUE);
  assert.ok(link.startsWith(`${keydesk.url}/invitation?token=`), link);
  await admin.page.getByRole('link', { name: 'Done' }).click();
  await overlay(admin.page).waitFor({ state: 'detached' });
  await personRow(admin.page, COLLEAGUE).getByText('Invited, not signed in yet').waitFor();

  const { page } = await arrive();
  await accept(page, link, COLLEAGUE);
  assert.equal((await page.goto(link)).status(), 404);
  await page.getByText('This link no longer works. Ask an administrator for a new one.').waitFor();

  const { app, recoveryCodes } = await setUpSecondFactor(page);
  assert.equal(new Set(recoveryCodes).size, 10);
  await page.getByRole('link', { name: 'I’ve saved these codes' }).click();
  await page.getByText('10 recovery codes left.').waitFor();
  for (const path of [ACCOUNT, SECOND_FACTOR]) {
    await page.goto(path);
    const shown = await page.content();
    assert.ok(!recoveryCodes.some((code) => shown.includes(code)), `${path} shows a recovery code again`);
  }

  await signOut(page);
  await awaitCode(page, COLLEAGUE);
  await isSignedOut(page);
  await awaitCode(page, COLLEAGUE);
  await giveCode(page, app.nextCode());
  await page.waitForURL(`**${KEYS}`);

  await admin.page.goto(USERS);
  const words = await personRow(admin.page, COLLEAGUE).textContent();
  for (const expected of [COLLEAGUE.email, 'Admin', 'On']) assert.ok(words.includes(expected), `${expected} in ${words}`);
  assert.ok(!words.includes('not signed in yet'), words);
});

journey('somebody loses their phone and signs in with a recovery code, which works once', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const { recoveryCodes } = await setUpSecondFactor(page);
  await signOut(page);

  await awaitCode(page, ADMIN);
  await giveCode(page, recoveryCodes[3]);
  await page.waitForURL(`**${KEYS}`);
  await page.goto(ACCOUNT);
  await page.getByText('9 recovery codes left.').waitFor();
  await signOut(page);

  await awaitCode(page, ADMIN);
  await giveCode(page, recoveryCodes[3]);
  await page.getByRole('alert').getByText('The code is incorrect, or was used before.').waitFor();
  // Typed as people copy it from paper.
  await giveCode(page, ` ${recoveryCodes[4].toUpperCase()} `);
  await page.waitForURL(`**${KEYS}`);

  // The phone is gone for good: the password turns it off, and the password alone signs in again.
  await page.goto(SECOND_FACTOR);
  await page.getByLabel('Current password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('status').getByText('The second factor is off.').waitFor();
  await signOut(page);
  await signIn(page, ADMIN);
});

journey('someone leaves and their keys are handed over, and the history is read', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  await addUser(keydesk, AUDITOR);
  const leaver = await arrive();
  await signIn(leaver.page, COLLEAGUE);
  const keys = [await addKey(leaver.page, 'ERP Sync Service'), await addKey(leaver.page, 'Reporting Dashboard')];

  await page.goto(USERS);
  await page.getByRole('link', { name: `Delete ${COLLEAGUE.name}`, exact: true }).click();
  const dialog = confirmation(page, `Delete ${COLLEAGUE.name}?`);
  await dialog.getByText(`2 active keys belong to ${COLLEAGUE.name}.`).waitFor();
  await ready(page);
  const listed = await dialog.locator('li[data-key-id]').evaluateAll((all) => all.map((key) => key.dataset.keyId));
  assert.deepEqual(listed.sort(), keys.map(({ id }) => id).sort());

  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await dialog.getByText('Choose who gets the keys, or revoke them.').waitFor();
  await dialog.getByRole('radio', { name: 'Hand them to' }).check();
  await dialog.getByLabel('New owner').selectOption(`${ADMIN.name} (Admin)`);
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await page.getByRole('status').getByText(`The user was deleted. 2 keys were handed to ${ADMIN.name}.`).waitFor();
  assert.equal(await personRow(page, COLLEAGUE).count(), 0);

  await isSignedOut(leaver.page);
  for (const key of keys) assert.equal((await keydesk.whoami(key.key)).status, 200);

  await page.goto(KEYS);
  for (const key of keys) await row(page, key).getByText('Deleted user', { exact: true }).waitFor();
  await open(page, `${KEYS}?audit=open`);
  for (const key of keys) {
    const said = await overlay(page).locator(events(page, 'api_key.handed_over', key)).textContent();
    assert.match(said, new RegExp(`${ADMIN.name}\\s+handed\\s+${key.name}\\s+over\\s+to\\s+${ADMIN.name}`));
    assert.match(await overlay(page).locator(events(page, 'api_key.created', key)).textContent(), /Deleted user\s+created/);
  }
  const deletion = overlay(page).locator('[data-action="user.deleted"]');
  assert.match(await deletion.textContent(), new RegExp(`${ADMIN.name}\\s+deleted a user`));
  for (const path of [KEYS, `${KEYS}?audit=open`, USERS]) {
    await page.goto(path);
    const shown = await page.content();
    for (const erased of [COLLEAGUE.name, COLLEAGUE.email]) assert.ok(!shown.includes(erased), `${path} shows ${erased}`);
  }
});

journey('someone leaves and their keys are revoked with them', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const leaver = await arrive();
  await signIn(leaver.page, COLLEAGUE);
  const theirs = await addKey(leaver.page, 'ERP Sync Service');
  const mine = await addKey(page, 'Reporting Dashboard');

  await page.goto(USERS);
  await page.getByRole('link', { name: `Delete ${COLLEAGUE.name}`, exact: true }).click();
  await overlay(page).getByText(`1 active key belongs to ${COLLEAGUE.name}.`).waitFor();
  await overlay(page).getByRole('radio', { name: 'Revoke them now' }).check();
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await page.getByRole('status').getByText('The user was deleted. 1 key was revoked.').waitFor();

  assert.deepEqual([(await keydesk.whoami(theirs.key)).status, (await keydesk.whoami(mine.key)).status], [401, 200]);
  await page.goto(`${KEYS}?tab=revoked`);
  const words = await row(page, theirs).textContent();
  for (const expected of ['Deleted user', ADMIN.name, 'Owner left']) assert.ok(words.includes(expected), `${expected} in ${words}`);
  assert.equal(await row(page, mine).count(), 0);
});

journey('a company requires a second factor, and its admin is led to set it up before anything else', async (keydesk, arrive) => {
  const visitor = await arrive();
  const { page } = visitor;
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const auditor = await arrive();
  await signIn(auditor.page, AUDITOR);

  await page.getByRole('link', { name: 'Key Policy' }).first().click();
  await page.getByLabel('Require a second factor for administrators').check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.waitForURL(`**${SECOND_FACTOR}`);
  await page.getByText('Your company requires a second factor for administrators. Set it up to continue.').waitFor();
  for (const path of [KEYS, `${KEYS}/new`, USERS, ACCOUNT, KEY_POLICY]) {
    await page.goto(path);
    assert.equal(new URL(page.url()).pathname, SECOND_FACTOR, path);
  }
  const attempt = await visitor.post(KEYS, { name: 'Made before the second factor' });
  assert.deepEqual([attempt.status(), attempt.headers().location], [303, SECOND_FACTOR]);
  // It is asked of administrators.
  assert.equal(new URL((await auditor.page.goto(KEYS)).url()).pathname, KEYS);

  await setUpSecondFactor(page);
  await page.getByRole('link', { name: 'I’ve saved these codes' }).click();
  await page.goto(KEYS);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
});

journey('somebody changes name, theme and time zone and sees them on the next page', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await page.getByRole('banner').getByRole('link', { name: ADMIN.name }).click();
  await page.getByLabel('Name', { exact: true }).fill('Maria Lindqvist Berg');
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await saySaved(page);

  for (const path of [ACCOUNT, USERS, KEYS]) {
    await page.goto(path);
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', path);
    await page.getByRole('banner').getByRole('link', { name: 'Maria Lindqvist Berg' }).waitFor();
  }
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await page.getByText('Shown in Tokyo time (UTC+09:00)').waitFor();
  const canvas = await page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
  assert.equal(canvas, 'oklch(0.168 0.006 260)');

  await page.goto(ACCOUNT);
  await page.getByRole('radio', { name: 'System' }).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await saySaved(page);
  assert.equal(await page.locator('html').getAttribute('data-theme'), null);
});

journey('somebody ends a session that they left open elsewhere', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const elsewhere = await arrive();
  await signIn(elsewhere.page, ADMIN);

  await page.goto(ACCOUNT);
  const sessions = page.getByRole('region', { name: 'Sessions' }).getByRole('listitem');
  assert.equal(await sessions.count(), 2);
  const open = sessions.filter({ hasNotText: 'This session' });
  assert.match(await open.textContent(), /Chrom\w+[^]*127\.0\.0\.1/);
  await open.getByRole('button', { name: /^End the session/ }).click();
  await page.getByRole('status').getByText('The session has ended.').waitFor();
  await ready(page);
  assert.equal(await sessions.count(), 1);
  assert.equal(await page.getByRole('button', { name: 'End all others' }).count(), 0);

  await isSignedOut(elsewhere.page);
  await page.goto(KEYS);
  assert.equal(new URL(page.url()).pathname, KEYS);
});

journey('an admin works in the dialogs with the keyboard alone', async (keydesk, arrive, withJavaScript) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  const focus = () =>
    page.evaluate(() => {
      const { activeElement: at } = document;
      if (at === document.body) return 'the window';
      return at.closest('dialog') ? at.id || at.value || at.textContent.trim() : `behind the dialog: ${at.outerHTML}`;
    });
  // The browser sets the focus when it first draws the page, which may be after it has loaded; and once more, where a script
  // makes the dialog modal.
  const opened = () => overlay(page).locator(':focus').waitFor();
  /** Where the focus is at first, and where Tab takes it until it leaves the dialog. */
  const walk = async () => {
    await opened();
    const stops = [await focus()];
    while (stops.at(-1) !== 'the window' && stops.length < 12) {
      await page.keyboard.press('Tab');
      stops.push(await focus());
    }
    return stops.slice(0, -1);
  };

  await page.goto(`${USERS}/new`);
  assert.deepEqual(await walk(), ['name', 'email', 'auditor', 'Cancel', 'Add user']);
  await page.reload();
  await opened();
  await page.keyboard.type(COLLEAGUE.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(COLLEAGUE.email);
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.locator('#invitation-link').waitFor();
  assert.deepEqual(await walk(), ['dialog-title', ...(withJavaScript ? ['Copy link'] : []), 'Done']);

  await page.goto(USERS);
  await personRow(page, COLLEAGUE).getByRole('link', { name: 'Change role' }).press('Enter');
  assert.deepEqual(await walk(), ['Cancel', 'Change role']);
  await page.reload();
  await opened();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'admin');

  await page.goto(USERS);
  await personRow(page, ADMIN).getByRole('link', { name: 'Delete' }).press('Enter');
  assert.deepEqual(await walk(), ['Cancel', 'Delete user']);
  await page.reload();
  await opened();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'new_owner');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'no');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'the window');
});

journey('the last admin can neither become an auditor nor be deleted', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const refusal = 'The last administrator can be neither deleted nor made an auditor. Make somebody else an administrator first.';

  await page.goto(USERS);
  await personRow(page, ADMIN).getByRole('link', { name: 'Change role' }).click();
  await overlay(page).getByRole('radio', { name: 'Auditor' }).check();
  await overlay(page).getByRole('button', { name: 'Change role' }).click();
  await overlay(page).getByText(refusal).waitFor();
  await overlay(page).locator('fieldset:focus').getByText('Role', { exact: true }).waitFor();

  await page.goto(USERS);
  await personRow(page, ADMIN).getByRole('link', { name: 'Delete' }).click();
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await overlay(page).getByRole('alert').getByText(refusal).waitFor();

  // Once there is another, both are free to go.
  await page.goto(USERS);
  await personRow(page, AUDITOR).getByRole('link', { name: 'Change role' }).click();
  await overlay(page).getByRole('radio', { name: 'Admin' }).check();
  await overlay(page).getByRole('button', { name: 'Change role' }).click();
  await page.getByRole('status').getByText(`${AUDITOR.name} is now an admin.`).waitFor();
  await personRow(page, ADMIN).getByRole('link', { name: 'Delete' }).click();
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await page.waitForURL('**/sign-in**');
});
