// The usage of a key, from its first request to the refusals after its end. With JavaScript and without.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { ACTION_TIMEOUT } from './support/timeouts.mjs';
import { KEYS, addKey, overlay, rotateKey, row, setUp } from './support/steps.mjs';

const ERP = 'ERP Sync Service';
/** Longer than the stored part, without a break opportunity, and with a script. */
const HOSTILE = `"><script>document.title='owned'</script>${'x'.repeat(200)}`;

const present = async (keydesk, { key }, program) => {
  const answer = await fetch(`${keydesk.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}`, 'user-agent': program } });
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get('x-request-id') };
};
/** Reloads a page until it contains the words. The server records usage every few seconds. */
const waitForText = async (page, path, words) => {
  for (const start = Date.now(); Date.now() - start < ACTION_TIMEOUT; ) {
    await page.goto(path);
    if ((await page.content()).replaceAll(/<[^>]*>|\s+/g, ' ').replaceAll(/\s+/g, ' ').includes(words)) return;
    await page.waitForTimeout(500);
  }
  assert.fail(`${path} does not contain “${words}”`);
};
/** A recent time, as a page shows it. */
const JUST_NOW = '([Jj]ust now|\\d+ (seconds?|minutes?) ago)';
const region = (page, name) => page.getByRole('region', { name, exact: true });

e2e('an admin sees what a revocation breaks, and that it worked', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, ERP);
  await page.goto(KEYS);
  await row(page, created).getByRole('cell', { name: 'Never used' }).waitFor();
  assert.equal((await present(keydesk, created, 'curl/8.5')).status, 200);
  assert.equal((await present(keydesk, created, HOSTILE)).status, 200);
  // The two requests may be recorded one after the other.
  await waitForText(page, `${KEYS}/${created.id}`, '2 requests in the last 30 days.');
  await page.goto(KEYS);
  await row(page, created).getByRole('cell', { name: new RegExp(`^${JUST_NOW}$`) }).waitFor();

  await row(page, created).getByRole('link', { name: ERP, exact: true }).click();
  const usage = region(page, 'Usage');
  await usage.getByRole('img', { name: '2 requests in the last 30 days.' }).waitFor();
  await usage.getByText('Requests by day').click();
  // Midnight may have passed between the two.
  await usage.getByText(/^[12] accepted$/).first().waitFor();
  const accepted = await usage.getByText(/^[12] accepted$/).allTextContents();
  assert.equal(accepted.reduce((sum, words) => sum + parseInt(words), 0), 2);
  await usage.getByText('curl/8.5').first().waitFor();
  assert.notEqual(await page.title(), 'owned');
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320), 'the page scrolls sideways');
  await page.setViewportSize({ width: 1280, height: 800 });

  await page.getByRole('link', { name: 'Revoke', exact: true }).click();
  await overlay(page).getByText('This key is in use.').waitFor();
  const uses = await overlay(page).locator('#in-use li').allTextContents();
  assert.match(uses.join('|').replaceAll(/\s+/g, ' '), /2 requests in the last 24 hours, from 1 address\|127\.0\.0\.1 \(.*curl\/8\.5.*\)/);
  await overlay(page).getByRole('button', { name: 'Revoke key' }).click();
  await page.getByText(`${ERP} was revoked.`).waitFor();

  const refused = await present(keydesk, created, 'curl/8.5');
  assert.equal(refused.status, 401);
  await waitForText(page, `${KEYS}?tab=revoked`, '1 rejected since');
  await row(page, created).getByRole('link', { name: ERP, exact: true }).click();
  const revocation = region(page, 'Revocation');
  await revocation.getByText(new RegExp(`No request has been accepted since\\. 1 was rejected, ${JUST_NOW}\\.`)).waitFor();
  await revocation.getByText(new RegExp(`Request ${refused.id} of .* from 127\\.0\\.0\\.1 \\(curl/8\\.5\\), was rejected because this key had been revoked\\.`)).waitFor();
});

e2e('an admin rotates a key and ends the old one when it is safe', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const old = await addKey(page, ERP);
  assert.equal((await present(keydesk, old, 'curl/8.5')).status, 200);
  const replacement = await rotateKey(page, old, 'Keep it working for 30 days');
  const oldPage = `${KEYS}/${old.id}`;
  await waitForText(page, oldPage, 'Do not end it yet.');
  await region(page, 'Replacement').getByText(new RegExp(`Last used ${JUST_NOW} from 127\\.0\\.0\\.1\\.`)).waitFor();

  // The client switches to the new key, and six days pass.
  const sixDays = 6 * 86_400;
  await keydesk.tamper(`UPDATE key_usage SET last_used_at = last_used_at - ${sixDays}000000 WHERE last_used_at > 0; UPDATE key_usage_hours SET hour = hour - ${sixDays / 3_600}`);
  assert.equal((await present(keydesk, replacement, 'curl/8.5')).status, 200);
  await page.goto(oldPage);
  await region(page, 'Replacement').getByText('Not used for 6 days. Safe to end.').waitFor();
  await page.getByRole('link', { name: 'End now' }).click();
  await overlay(page).getByText('Not used for 6 days. Safe to end.').waitFor();
  await overlay(page).getByRole('button', { name: 'End now' }).click();
  await page.getByRole('status').getByText('The old key no longer works.').waitFor();
  assert.deepEqual([(await present(keydesk, old, 'curl/8.5')).status, (await present(keydesk, replacement, 'curl/8.5')).status], [401, 200]);
  await page.goto(KEYS);
  assert.deepEqual([await row(page, old).count(), await row(page, replacement).count()], [0, 1]);
});
