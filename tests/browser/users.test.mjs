// Invitations, second factors, accounts and deletion of users. With JavaScript and without.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
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
  startSignIn,
  confirmation,
  events,
  enterCode,
  invite,
  open,
  overlay,
  userRow,
  row,
  setUp,
  setUpSecondFactor,
  signIn,
  signOut,
} from './support/steps.mjs';
import { ready } from './support/client.mjs';

const assertSignedOut = async (page) => {
  await page.goto(KEYS);
  const { pathname, searchParams } = new URL(page.url());
  assert.deepEqual([pathname, searchParams.get('next')], ['/sign-in', KEYS]);
};
const waitForSaved = (page) => page.getByRole('status').getByText('Changes saved.').waitFor();

e2e('an invited user accepts, sets up a second factor and signs in with a code', async (keydesk, newClient) => {
  const admin = await newClient();
  await setUp(admin.page, keydesk);
  const link = await invite(admin.page, COLLEAGUE);
  assert.ok(link.startsWith(`${keydesk.url}/invitation?token=`), link);
  await admin.page.getByRole('link', { name: 'Done' }).click();
  await overlay(admin.page).waitFor({ state: 'detached' });
  await userRow(admin.page, COLLEAGUE).getByText('Invitation pending').waitFor();

  const { page } = await newClient();
  await accept(page, link, COLLEAGUE);
  assert.equal((await page.goto(link)).status(), 404);
  await page.getByText('This link no longer works. Ask an administrator for a new one.').waitFor();

  const { app, recoveryCodes } = await setUpSecondFactor(page, COLLEAGUE.password);
  assert.equal(new Set(recoveryCodes).size, 10);
  await page.getByRole('link', { name: 'I’ve saved these codes' }).click();
  await page.getByText('10 recovery codes left.').waitFor();
  for (const path of [ACCOUNT, SECOND_FACTOR]) {
    await page.goto(path);
    const shown = await page.content();
    assert.ok(!recoveryCodes.some((code) => shown.includes(code)), `${path} shows a recovery code again`);
  }

  await signOut(page);
  await startSignIn(page, COLLEAGUE);
  await assertSignedOut(page);
  await startSignIn(page, COLLEAGUE);
  await enterCode(page, app.nextCode());
  await page.waitForURL(`**${KEYS}`);

  await admin.page.goto(USERS);
  const words = await userRow(admin.page, COLLEAGUE).textContent();
  for (const expected of [COLLEAGUE.email, 'Admin', 'On']) assert.ok(words.includes(expected), `${expected} in ${words}`);
  assert.ok(!words.includes('Never signed in'), words);
});

e2e('a user without their phone signs in with a recovery code, which works once', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const { recoveryCodes } = await setUpSecondFactor(page, ADMIN.password);
  await signOut(page);

  await startSignIn(page, ADMIN);
  await enterCode(page, recoveryCodes[3]);
  await page.waitForURL(`**${KEYS}`);
  await page.goto(ACCOUNT);
  await page.getByText('9 recovery codes left.').waitFor();
  await signOut(page);

  await startSignIn(page, ADMIN);
  await enterCode(page, recoveryCodes[3]);
  await page.getByRole('alert').getByText('The code is incorrect or was already used.').waitFor();
  // Typed as copied from paper.
  await enterCode(page, ` ${recoveryCodes[4].toUpperCase()} `);
  await page.waitForURL(`**${KEYS}`);

  // The password turns the second factor off. Then the password alone signs in.
  await page.goto(SECOND_FACTOR);
  await page.getByLabel('Current password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('status').getByText('The second factor is off.').waitFor();
  await signOut(page);
  await signIn(page, ADMIN);
});

e2e('deleting a user hands the keys over, and the trail records it', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  await addUser(keydesk, AUDITOR);
  const deleted = await newClient();
  await signIn(deleted.page, COLLEAGUE);
  const keys = [await addKey(deleted.page, 'ERP Sync Service'), await addKey(deleted.page, 'Reporting Dashboard')];

  await page.goto(USERS);
  await page.getByRole('link', { name: `Delete ${COLLEAGUE.name}`, exact: true }).click();
  const dialog = confirmation(page, `Delete ${COLLEAGUE.name}?`);
  await dialog.getByText(`2 active keys belong to ${COLLEAGUE.name}.`).waitFor();
  await ready(page);
  const listed = await dialog.locator('li[data-key-id]').evaluateAll((all) => all.map((key) => key.dataset.keyId));
  assert.deepEqual(listed.sort(), keys.map(({ id }) => id).sort());

  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await dialog.getByText('Select a new owner, or revoke the keys.').waitFor();
  await dialog.getByRole('radio', { name: 'Hand them to' }).check();
  await dialog.getByLabel('New owner').selectOption(ADMIN.name);
  await dialog.getByRole('button', { name: 'Delete user' }).click();
  await page.getByRole('status').getByText(`User deleted. ${ADMIN.name} now owns their 2 keys.`).waitFor();
  assert.equal(await userRow(page, COLLEAGUE).count(), 0);

  await assertSignedOut(deleted.page);
  for (const key of keys) assert.equal((await keydesk.whoami(key.key)).status, 200);

  await page.goto(KEYS);
  for (const key of keys) await row(page, key).getByText('Deleted user', { exact: true }).waitFor();
  await open(page, `${KEYS}?audit=open`);
  for (const key of keys) {
    const handover = await overlay(page).locator(events(page, 'api_key.handed_over', key)).textContent();
    assert.match(handover, new RegExp(`${ADMIN.name}\\s+changed the owner of\\s+${key.name}\\s+to\\s+${ADMIN.name}`));
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

e2e('deleting a user can revoke the keys', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const deleted = await newClient();
  await signIn(deleted.page, COLLEAGUE);
  const theirs = await addKey(deleted.page, 'ERP Sync Service');
  const mine = await addKey(page, 'Reporting Dashboard');

  await page.goto(USERS);
  await page.getByRole('link', { name: `Delete ${COLLEAGUE.name}`, exact: true }).click();
  await overlay(page).getByText(`1 active key belongs to ${COLLEAGUE.name}.`).waitFor();
  await overlay(page).getByRole('radio', { name: 'Revoke all of them' }).check();
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await page.getByRole('status').getByText('User deleted. 1 key was revoked.').waitFor();

  assert.deepEqual([(await keydesk.whoami(theirs.key)).status, (await keydesk.whoami(mine.key)).status], [401, 200]);
  await page.goto(`${KEYS}?tab=revoked`);
  const words = await row(page, theirs).textContent();
  for (const expected of ['Deleted user', ADMIN.name, 'Owner left']) assert.ok(words.includes(expected), `${expected} in ${words}`);
  assert.equal(await row(page, mine).count(), 0);
});

e2e('a required second factor is set up before anything else', async (keydesk, newClient) => {
  const client = await newClient();
  const { page } = client;
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const auditor = await newClient();
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
  const attempt = await client.post(KEYS, { name: 'Made before the second factor' });
  assert.deepEqual([attempt.status(), attempt.headers().location], [303, SECOND_FACTOR]);
  // Only administrators need it.
  assert.equal(new URL((await auditor.page.goto(KEYS)).url()).pathname, KEYS);

  await setUpSecondFactor(page, ADMIN.password);
  await page.getByRole('link', { name: 'I’ve saved these codes' }).click();
  await page.goto(KEYS);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
});

e2e('changes of name, theme and time zone show on the next page', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await page.getByRole('banner').getByRole('link', { name: ADMIN.name }).click();
  await page.getByLabel('Name', { exact: true }).fill('Maria Lindqvist Berg');
  await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await waitForSaved(page);

  for (const path of [ACCOUNT, USERS, KEYS]) {
    await page.goto(path);
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', path);
    await page.getByRole('banner').getByRole('link', { name: 'Maria Lindqvist Berg' }).waitFor();
  }
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await addKey(page, 'ERP Sync Service');
  await page.goto(KEYS);
  await page.getByText('Times in Tokyo time (UTC+09:00)').waitFor();
  const canvas = await page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
  assert.equal(canvas, 'oklch(0.168 0.006 260)');

  await page.goto(ACCOUNT);
  await page.getByRole('radio', { name: 'System' }).check();
  await page.getByRole('button', { name: 'Save changes' }).click();
  await waitForSaved(page);
  assert.equal(await page.locator('html').getAttribute('data-theme'), null);
});

e2e('a user ends a session in another browser', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const otherBrowser = await newClient();
  await signIn(otherBrowser.page, ADMIN);

  await page.goto(ACCOUNT);
  const sessions = page.getByRole('region', { name: 'Sessions' }).getByRole('listitem');
  assert.equal(await sessions.count(), 2);
  const open = sessions.filter({ hasNotText: 'This session' });
  assert.match(await open.textContent(), /Chrom\w+[^]*127\.0\.0\.1/);
  await open.getByRole('button', { name: /^Sign out the session/ }).click();
  await page.getByRole('status').getByText('Session signed out.').waitFor();
  await ready(page);
  assert.equal(await sessions.count(), 1);
  assert.equal(await page.getByRole('button', { name: 'Sign out all other sessions' }).count(), 0);

  await assertSignedOut(otherBrowser.page);
  await page.goto(KEYS);
  assert.equal(new URL(page.url()).pathname, KEYS);
});

e2e('an admin uses the dialogs with the keyboard', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  const focus = () =>
    page.evaluate(() => {
      const { activeElement: at } = document;
      if (at === document.body) return 'the window';
      return at.closest('dialog') ? at.id || at.value || at.textContent.trim() : `behind the dialog: ${at.outerHTML}`;
    });
  // The browser sets the focus when it first renders the page, possibly after the load event, and again when a script makes the
  // dialog modal.
  const opened = () => overlay(page).locator(':focus').waitFor();
  /** The tab stops from the initial focus until the focus leaves the dialog. */
  const tabStops = async () => {
    await opened();
    const stops = [await focus()];
    while (stops.at(-1) !== 'the window' && stops.length < 12) {
      await page.keyboard.press('Tab');
      stops.push(await focus());
    }
    return stops.slice(0, -1);
  };

  await page.goto(`${USERS}/new`);
  assert.deepEqual(await tabStops(), ['name', 'email', 'auditor', 'Cancel', 'Add user']);
  await page.reload();
  await opened();
  await page.keyboard.type(COLLEAGUE.name);
  await page.keyboard.press('Tab');
  await page.keyboard.type(COLLEAGUE.email);
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.locator('#invitation-link').waitFor();
  assert.deepEqual(await tabStops(), ['dialog-title', ...(withJavaScript ? ['Copy link'] : []), 'Done']);

  await page.goto(USERS);
  await userRow(page, COLLEAGUE).getByRole('link', { name: 'Change role' }).press('Enter');
  assert.deepEqual(await tabStops(), ['Cancel', 'Change role']);
  await page.reload();
  await opened();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'admin');

  // The only admin is not offered to delete themselves, but the page exists.
  await page.goto(USERS);
  await userRow(page, ADMIN).getByText('Only administrator', { exact: true }).waitFor();
  await page.goto(`${USERS}/${await userRow(page, ADMIN).getAttribute('data-user-id')}/delete`);
  await opened();
  assert.deepEqual(await tabStops(), ['Cancel', 'Delete user']);
  await page.reload();
  await opened();
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'new_owner');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'no');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focus(), 'the window');
});

e2e('the last admin can be neither demoted nor deleted', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const refusal = 'This is the only administrator. Make someone else an administrator first.';

  await page.goto(USERS);
  const own = `${USERS}/${await userRow(page, ADMIN).getAttribute('data-user-id')}`;
  await page.goto(`${own}/role`);
  await overlay(page).getByRole('radio', { name: 'Auditor' }).check();
  await overlay(page).getByRole('button', { name: 'Change role' }).click();
  await overlay(page).getByText(refusal).waitFor();
  await overlay(page).locator('fieldset:focus').getByText('Role', { exact: true }).waitFor();

  await page.goto(`${own}/delete`);
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await overlay(page).getByRole('alert').getByText(refusal).waitFor();

  // With another admin, both can be deleted.
  await page.goto(USERS);
  await userRow(page, AUDITOR).getByRole('link', { name: 'Change role' }).click();
  await overlay(page).getByRole('radio', { name: 'Admin' }).check();
  await overlay(page).getByRole('button', { name: 'Change role' }).click();
  await page.getByRole('status').getByText(`${AUDITOR.name} is now an admin.`).waitFor();
  await userRow(page, ADMIN).getByRole('link', { name: 'Delete' }).click();
  await overlay(page).getByRole('button', { name: 'Delete user' }).click();
  await page.waitForURL('**/sign-in**');
});
