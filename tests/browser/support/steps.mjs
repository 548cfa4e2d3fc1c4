// What people do on the pages, in their words.

import assert from 'node:assert/strict';

export const KEYS = '/administration/company-settings/api-keys';
export const COMPANY = 'Brightwater Foods';
export const ADMIN = { name: 'Maria Lindqvist', email: 'maria@brightwater.example', password: 'seven lanterns over a slow canoe' };
export const AUDITOR = { name: 'Priya Raman', email: 'priya@brightwater.example', password: 'the quiet ledger keeps its own time' };

export async function setUp(page, keydesk) {
  await page.goto(keydesk.said('Set-up link'));
  await page.getByLabel('Company name').fill(COMPANY);
  await page.getByLabel('Your name').fill(ADMIN.name);
  await page.getByLabel('Email').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Create company' }).click();
  await page.waitForURL(`**${KEYS}`);
}

export async function signIn(page, { email, password }) {
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**${KEYS}`);
}

/** From the list to the page that shows the key. Gives its id, its name and the key itself. */
export async function addKey(page, name) {
  await page.goto(KEYS);
  await page.getByRole('link', { name: 'Add API Key' }).first().click();
  await page.getByLabel('Service account name').fill(name);
  await page.getByRole('button', { name: 'Create key' }).click();
  const shown = page.locator('#new-key');
  return { id: await shown.getAttribute('data-key-id'), name, key: await shown.textContent() };
}

/** From the list, through the confirmation, back to the list. */
export async function revokeKey(page, { name }, reason, comment) {
  await page.goto(KEYS);
  await page.getByRole('link', { name: `Revoke ${name}`, exact: true }).click();
  const dialog = overlay(page);
  assert.equal(await dialog.getByRole('heading').textContent(), `Revoke ${name}?`);
  await dialog.getByLabel('Reason').selectOption(reason);
  await dialog.getByLabel('Comment (optional)').fill(comment);
  await dialog.getByRole('button', { name: 'Revoke key' }).click();
  await page.getByText(`${name} was revoked. Requests that use it are now rejected.`).waitFor();
}

export function overlay(page) {
  return page.locator('dialog[open]');
}

export function row(page, { id }) {
  return page.locator(`tr[data-key-id="${id}"]`);
}

export function events(page, action, { id }) {
  return page.locator(`[data-event-id][data-action="${action}"][data-key-id="${id}"]`);
}
