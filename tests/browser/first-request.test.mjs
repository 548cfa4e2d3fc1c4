// From the set-up link to the first accepted request, with as few clicks as possible.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { ADMIN, COMPANY } from './support/steps.mjs';

const MOST_CLICKS = 10;

e2e('the first request is accepted after a few clicks', async (keydesk, newClient) => {
  const { page } = await newClient();
  let clicks = 1;
  const click = async (role, name) => {
    clicks += 1;
    await page.getByRole(role, { name, exact: true }).first().click();
  };
  await page.goto(keydesk.output('Set-up link'));
  await page.getByLabel('Company name').fill(COMPANY);
  await page.getByLabel('Your name').fill(ADMIN.name);
  await page.getByLabel('Email').fill(ADMIN.email);
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await click('button', 'Create company');
  await click('link', 'Add API Key');
  await page.getByLabel('Service account name').fill('ERP Sync Service');
  await click('button', 'Create key');
  const key = await page.locator('#new-key').textContent();
  assert.equal((await keydesk.whoami(key)).status, 200);
  assert.ok(clicks <= MOST_CLICKS, `${clicks} clicks`);
});
