// Pages that say why there is nothing else to show: each in a sentence, with nothing of the company on it, and with one way on,
// which the keyboard reaches first. What they look like is judged with the other scenes.

import assert from 'node:assert/strict';
import { journey } from './support/journey.mjs';
import { ADMIN, AUDITOR, AUDIT_TRAIL, KEYS, USERS, addKey, addUser, overlay, revokeKey, setUp, signIn } from './support/steps.mjs';
import { ready } from './support/visitor.mjs';

const TOO_LONG = 'Too long to be sent. '.repeat(4_000);
const START = 'Go to the start page';
const LIST = 'Back to API keys';

const shown = async (visitor, status, heading, sentence) => {
  const { page } = visitor;
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  await ready(page);
  assert.equal(visitor.answer.status(), status, heading);
  assert.equal(await page.title(), `${heading} – Go Autonomous administration`);
  const words = (await page.locator('.message p').textContent()).trim();
  assert.match(words, sentence);
  assert.match(words, /\.$/);
  assert.equal(await page.locator('header, nav, table, form').count(), 0);
};
/** Takes the way on. */
const goOn = async ({ page }, name, path, heading) => {
  const link = page.getByRole('main').getByRole('link');
  assert.equal(await link.count(), 1);
  await page.keyboard.press('Tab');
  await page.locator('main a:focus').getByText(name, { exact: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${path}`);
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
};

journey('whatever cannot be answered is said in a sentence, with a way on', async (keydesk, arrive) => {
  const admin = await arrive();
  const { page } = admin;
  await setUp(page, keydesk);
  const active = await addKey(page, 'ERP Sync Service');
  const revoked = await addKey(page, 'Reporting Dashboard');
  await revokeKey(page, revoked, 'superseded', '');

  await page.goto(`${KEYS}?q=one&q=another`);
  await shown(admin, 400, 'Not understood', /^The request could not be read\. Go back, reload/);
  await goOn(admin, START, KEYS, 'API Keys');

  for (const [path, heading, sentence, way, where, there] of [
    ['/nowhere', 'Not found', /^This page does not exist\.$/, START, KEYS, 'API Keys'],
    [`${KEYS}/nothing/revoke`, 'Not found', /^This API key does not exist\.$/, LIST, KEYS, 'API Keys'],
    [`${USERS}/nobody/delete`, 'Not found', /^This user does not exist\.$/, 'Back to users', USERS, 'Users'],
    [`${AUDIT_TRAIL}/nothing`, 'Not found', /^This page does not exist\.$/, START, KEYS, 'API Keys'],
  ]) {
    await page.goto(path);
    await shown(admin, 404, heading, sentence);
    await goOn(admin, way, where, there);
  }

  await page.goto('/sign-out');
  await shown(admin, 405, 'Not possible here', /^This address does not take such a request\. Open it from the page/);
  await goOn(admin, START, KEYS, 'API Keys');

  await page.goto(`${KEYS}/${revoked.id}/edit`);
  await shown(admin, 409, 'Not possible any more', /^This API key is revoked\. Revoked keys stay as they are\.$/);
  await goOn(admin, 'Back to the key', `${KEYS}/${revoked.id}`, revoked.name);

  await page.goto(`${KEYS}/${active.id}/revoke`);
  await overlay(page).getByLabel('Comment (optional)').fill(TOO_LONG);
  await overlay(page).getByRole('button', { name: 'Revoke key' }).click();
  await shown(admin, 413, 'Too large', /^The request is larger than 64 KiB\. Go back, shorten/);
  await goOn(admin, START, KEYS, 'API Keys');

  await page.goto(`${KEYS}/new`);
  await overlay(page).locator('form').evaluate((form) => (form.enctype = 'text/plain'));
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  await shown(admin, 415, 'Wrong format', /^Send the form from its page/);
  await goOn(admin, START, KEYS, 'API Keys');

  await page.goto('about:blank');
  await page.setContent(`<form method="post" action="${keydesk.url}/sign-out"></form>`);
  await page.locator('form').evaluate((form) => form.submit());
  await shown(admin, 403, 'Not accepted', /^The request came from another site\. Open the page here/);
  await goOn(admin, START, KEYS, 'API Keys');

  assert.equal((await keydesk.whoami(active.key)).status, 200);
});

journey('an auditor at a form, and whoever comes to a dead link, are told where to go', async (keydesk, arrive) => {
  const admin = await arrive();
  await setUp(admin.page, keydesk);
  await addUser(keydesk, AUDITOR);
  const auditor = await arrive();
  await signIn(auditor.page, AUDITOR);
  for (const path of [`${KEYS}/new`, `${USERS}/new`]) {
    await auditor.page.goto(path);
    await shown(auditor, 403, 'Not allowed', /^You need to be an administrator to do this\.$/);
    await goOn(auditor, LIST, KEYS, 'API Keys');
  }

  const stranger = await arrive();
  await stranger.page.goto('/invitation?token=nothing');
  await shown(stranger, 404, 'Link no longer works', /^This link no longer works\. Ask an administrator for a new one\.$/);
  await goOn(stranger, 'Go to sign-in', '/sign-in', 'Sign in');
});

journey('a size that no checkpoint has is refused beside its field, and the export goes on from there', async (keydesk, arrive) => {
  const admin = await arrive();
  const { page } = admin;
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  await page.goto(`${AUDIT_TRAIL}?action=api_key.created`);
  const size = page.getByLabel('Size of the checkpoint you kept');
  const form = page.locator('form').filter({ has: size });
  await size.fill('1,000');
  await size.press('Enter');
  await form.getByText(/The audit trail has \d+ events/).waitFor();
  await ready(page);
  assert.equal(admin.answer.status(), 422);
  assert.deepEqual([await size.inputValue(), await size.getAttribute('aria-invalid')], ['1,000', 'true']);
  await page.locator('#since:focus').waitFor();
  assert.equal(await page.locator('tr[data-event-id]').count(), 1);

  await size.fill('2');
  const [download] = await Promise.all([page.waitForEvent('download'), form.getByRole('button', { name: 'Export with proof' }).click()]);
  assert.match(download.suggestedFilename(), /-1-event\.jsonl$/);
  assert.equal(new URL(download.url()).search, '?action=api_key.created&since=2');
  assert.equal(await form.getByRole('button').getAttribute('aria-disabled'), null);
});

journey('too many failures are waited out, and a database that is back is tried again', async (keydesk, arrive) => {
  const admin = await arrive();
  const { page } = admin;
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const stranger = await arrive();
  await stranger.page.goto('/sign-in');
  for (let time = 0; time < 8; time += 1) await stranger.post('/sign-in', { email: AUDITOR.email, password: 'not the password of anybody' });
  await stranger.page.getByLabel('Email').fill(AUDITOR.email);
  await stranger.page.getByLabel('Password').fill(AUDITOR.password);
  await stranger.page.getByRole('button', { name: 'Sign in' }).click();
  await stranger.page.getByRole('alert').getByText(/^Too many attempts\. Try again in \d+ minutes\.$/).waitFor();
  await ready(stranger.page);
  assert.equal(stranger.answer.status(), 429);
  assert.ok(Number(await stranger.answer.headerValue('retry-after')) > 0);
  assert.equal(await stranger.page.getByLabel('Email').inputValue(), AUDITOR.email);
  assert.equal(await stranger.page.getByLabel('Password').inputValue(), '');

  await keydesk.tamper("UPDATE users SET role = 'nobody' WHERE role = 'auditor'");
  await page.goto(USERS);
  await shown(admin, 500, 'Something went wrong', /^Something went wrong on our side\. Check the list before you try again\.$/);
  await page.getByText(/^Request [0-9a-f]{16}$/).waitFor();
  await goOn(admin, LIST, KEYS, 'API Keys');

  await keydesk.tamper('ALTER TABLE api_keys RENAME TO hidden');
  await page.goto(`${KEYS}?tab=revoked`);
  await shown(admin, 503, 'Database out of reach', /^The database cannot be reached\. Nothing can be changed until it is back\.$/);
  await keydesk.tamper('ALTER TABLE hidden RENAME TO api_keys');
  await goOn(admin, 'Try again', KEYS, 'API Keys');
  await page.getByRole('banner').getByText(ADMIN.name).waitFor();
});
