// Error pages: one sentence and one link. Signed-in users keep the navigation, unless the server failed or another site sent
// the request. scenes.test.mjs audits them with the other pages.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { ADMIN, AUDITOR, AUDIT_TRAIL, COMPANY, EVIDENCE, KEYS, USERS, addKey, addUser, overlay, revokeKey, setUp, signIn } from './support/steps.mjs';
import { ready } from './support/client.mjs';

const TOO_LONG = 'Too long to be sent. '.repeat(4_000);
const START = 'Go to API Keys';
const LIST = 'Back to API keys';

/** The headings of pages without navigation. */
const outside = new Set(['Request blocked', 'Ask for a new link']);
const assertErrorPage = async (client, status, heading, sentence) => {
  const { page } = client;
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  await ready(page);
  assert.equal(client.answer.status(), status, heading);
  const hasNavigation = [400, 403, 404, 405, 409, 413, 415].includes(status) && !outside.has(heading);
  assert.equal(await page.title(), `${heading} – ${hasNavigation ? COMPANY : 'Go Autonomous administration'}`);
  const words = (await page.locator('.message p').textContent()).trim();
  assert.match(words, sentence);
  assert.match(words, /\.$/);
  const reference = await client.answer.headerValue('x-request-id');
  await page.getByText(`Reference: ${reference}`, { exact: true }).waitFor();
  assert.equal(await page.locator('main :is(nav, table, form)').count(), 0);
  assert.equal((await page.locator('header').count()) > 0, hasNavigation);
  if (hasNavigation) await page.getByRole('banner').getByText(COMPANY).waitFor();
};
/** Follows the only link. */
const followLink = async ({ page }, name, path, heading) => {
  const link = page.getByRole('main').getByRole('link');
  assert.equal(await link.count(), 1);
  await link.focus();
  await page.locator('main a:focus').getByText(name, { exact: true }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${path}`);
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
};

e2e('every error page has a sentence and a link', async (keydesk, newClient) => {
  const admin = await newClient();
  const { page } = admin;
  await setUp(page, keydesk);
  const active = await addKey(page, 'ERP Sync Service');
  const revoked = await addKey(page, 'Reporting Dashboard');
  await revokeKey(page, revoked, 'superseded', '');

  await page.goto(`${KEYS}?q=one&q=another`);
  await assertErrorPage(admin, 400, 'Bad request', /^The request could not be read\. Go back, reload/);
  await followLink(admin, START, KEYS, 'API Keys');

  for (const [path, heading, sentence, link, target, targetHeading] of [
    ['/nowhere', 'Not found', /^This page does not exist\.$/, START, KEYS, 'API Keys'],
    [`${KEYS}/nothing/revoke`, 'Not found', /^This API key does not exist\.$/, LIST, KEYS, 'API Keys'],
    [`${USERS}/nothing/delete`, 'Not found', /^This user does not exist\.$/, 'Back to users', USERS, 'Users'],
    [`${AUDIT_TRAIL}/nothing`, 'Not found', /^This page does not exist\.$/, START, KEYS, 'API Keys'],
  ]) {
    await page.goto(path);
    await assertErrorPage(admin, 404, heading, sentence);
    await followLink(admin, link, target, targetHeading);
  }

  await page.goto('/sign-out');
  await assertErrorPage(admin, 405, 'Not possible here', /^This page cannot be opened that way\. Go back and use the link/);
  await followLink(admin, START, KEYS, 'API Keys');

  await page.goto(`${KEYS}/${revoked.id}/edit`);
  await assertErrorPage(admin, 409, 'Nothing was changed', /^This API key is revoked and can no longer be changed\.$/);
  await followLink(admin, 'Back to the key', `${KEYS}/${revoked.id}`, revoked.name);

  await page.goto(`${KEYS}/${active.id}/revoke`);
  await overlay(page).getByLabel('Comment (optional)').fill(TOO_LONG);
  await overlay(page).getByRole('button', { name: 'Revoke key' }).click();
  await assertErrorPage(admin, 413, 'Too large', /^The request is larger than 64 KiB\. Go back, shorten/);
  await followLink(admin, START, KEYS, 'API Keys');

  await page.goto(`${KEYS}/new`);
  await overlay(page).locator('form').evaluate((form) => (form.enctype = 'text/plain'));
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  await assertErrorPage(admin, 415, 'Wrong format', /^Send the form from its page/);
  await followLink(admin, START, KEYS, 'API Keys');

  await page.goto('about:blank');
  await page.setContent(`<form method="post" action="${keydesk.url}/sign-out"></form>`);
  await page.locator('form').evaluate((form) => form.submit());
  await assertErrorPage(admin, 403, 'Request blocked', /^The request came from another site and was blocked\. Reload the page here/);
  await followLink(admin, START, KEYS, 'API Keys');

  assert.equal((await keydesk.whoami(active.key)).status, 200);
});

e2e('an auditor at a form and a user with an expired link see where to go', async (keydesk, newClient) => {
  const admin = await newClient();
  await setUp(admin.page, keydesk);
  await addUser(keydesk, AUDITOR);
  const auditor = await newClient();
  await signIn(auditor.page, AUDITOR);
  for (const path of [`${KEYS}/new`, `${USERS}/new`]) {
    await auditor.page.goto(path);
    await assertErrorPage(auditor, 403, 'Not allowed', /^You need to be an administrator to do this\.$/);
    await followLink(auditor, LIST, KEYS, 'API Keys');
  }

  const signedOut = await newClient();
  await signedOut.page.goto('/invitation?token=nothing');
  await assertErrorPage(signedOut, 404, 'Ask for a new link', /^This link no longer works\. Ask an administrator for a new one\.$/);
  await followLink(signedOut, 'Go to sign-in', '/sign-in', 'Sign in');
});

e2e('an unknown checkpoint size is refused at its field, and can be corrected', async (keydesk, newClient) => {
  const admin = await newClient();
  const { page } = admin;
  await setUp(page, keydesk);
  await addKey(page, 'ERP Sync Service');
  await page.goto(`${EVIDENCE}?action=api_key.created`);
  const size = page.getByLabel('Checkpoint size');
  const form = page.locator('form').filter({ has: size });
  await size.fill('1,000');
  await size.press('Enter');
  await form.getByText(/The audit trail has \d+ events/).waitFor();
  await ready(page);
  assert.equal(admin.answer.status(), 422);
  assert.deepEqual([await size.inputValue(), await size.getAttribute('aria-invalid')], ['1,000', 'true']);
  await page.locator('#since:focus').waitFor();

  await size.fill('2');
  const [download] = await Promise.all([page.waitForEvent('download'), form.getByRole('button', { name: 'Export with proof' }).click()]);
  assert.match(download.suggestedFilename(), /-1-event\.jsonl$/);
  assert.equal(new URL(download.url()).search, '?action=api_key.created&since=2');
  assert.equal(await form.getByRole('button').getAttribute('aria-disabled'), null);
});

e2e('pages report throttling, defects and an unavailable database', async (keydesk, newClient) => {
  const admin = await newClient();
  const { page } = admin;
  await setUp(page, keydesk);
  await addUser(keydesk, AUDITOR);
  const signedOut = await newClient();
  await signedOut.page.goto('/sign-in');
  for (let time = 0; time < 8; time += 1) await signedOut.post('/sign-in', { email: AUDITOR.email, password: 'not a valid password' });
  await signedOut.page.getByLabel('Email').fill(AUDITOR.email);
  await signedOut.page.getByLabel('Password').fill(AUDITOR.password);
  await signedOut.page.getByRole('button', { name: 'Sign in' }).click();
  await signedOut.page.getByRole('alert').getByText(/^Too many attempts\. Try again in \d+ minutes\.$/).waitFor();
  await ready(signedOut.page);
  assert.equal(signedOut.answer.status(), 429);
  assert.ok(Number(await signedOut.answer.headerValue('retry-after')) > 0);
  assert.equal(await signedOut.page.getByLabel('Email').inputValue(), AUDITOR.email);
  assert.equal(await signedOut.page.getByLabel('Password').inputValue(), '');

  await keydesk.tamper("UPDATE users SET role = 'unknown' WHERE role = 'auditor'");
  await page.goto(USERS);
  await assertErrorPage(admin, 500, 'Unexpected error', /^Something went wrong\. Check the list to see whether your change was saved before you try again\.$/);
  await followLink(admin, LIST, KEYS, 'API Keys');

  await keydesk.tamper('ALTER TABLE api_keys RENAME TO hidden');
  await page.goto(`${KEYS}?tab=revoked`);
  await assertErrorPage(admin, 503, 'Database unavailable', /^The database is not responding, so changes cannot be saved right now\. Try again in a moment\.$/);
  await keydesk.tamper('ALTER TABLE hidden RENAME TO api_keys');
  await followLink(admin, 'Try again', KEYS, 'API Keys');
  await page.getByRole('banner').getByText(ADMIN.name).waitFor();
});
