// Steps that users take on the pages.

import assert from 'node:assert/strict';
import { Authenticator } from './authenticator.mjs';
import { hasScript, ready } from './client.mjs';

export const KEYS = '/administration/company-settings/api-keys';
export const KEY_POLICY = '/administration/company-settings/key-policy';
export const AUDIT_TRAIL = '/administration/company-settings/audit-trail';
export const PRACTICE = '/administration/company-settings/practice';
export const EVIDENCE = '/administration/company-settings/evidence';
export const GENERAL = '/administration/company-settings/general';
export const USERS = '/administration/access-control/users';
export const ACCOUNT = '/account';
export const SECOND_FACTOR = '/account/second-factor';

export const COMPANY = 'Brightwater Foods';
export const ADMIN = { name: 'Maria Lindqvist', email: 'maria@brightwater.example', password: 'seven lanterns over a slow canoe' };
export const AUDITOR = { name: 'Priya Raman', email: 'priya@brightwater.example', role: 'auditor', password: 'the quiet ledger keeps its own time' };
export const COLLEAGUE = { name: 'Tomasz Wójcik', email: 'tomasz@brightwater.example', role: 'admin', password: 'four herons under a tin umbrella' };

/** Opens an address and waits until the page is complete, with its overlay modal if scripts run. */
export async function open(page, path) {
  const answer = await page.goto(path);
  await ready(page);
  return answer;
}

export async function setUp(page, keydesk, { company = COMPANY, admin = ADMIN } = {}) {
  await page.goto(keydesk.output('Set-up link'));
  await page.getByLabel('Company name').fill(company);
  await page.getByLabel('Your name').fill(admin.name);
  await page.getByLabel('Email').fill(admin.email);
  await page.getByLabel('Password').fill(admin.password);
  await page.getByRole('button', { name: 'Create company' }).click();
  await page.waitForURL(`**${KEYS}`);
}

export async function signIn(page, person) {
  await enterPassword(page, person);
  await page.waitForURL(`**${KEYS}`);
}

/** Enters the password of a user with a second factor. The page for the code follows. */
export async function startSignIn(page, person) {
  await enterPassword(page, person);
  await page.waitForURL('**/sign-in/code');
}

/** Enters a code. The next page depends on the code. */
export async function enterCode(page, code) {
  await page.getByRole('textbox', { name: 'Code' }).fill(code);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function enterPassword(page, { email, password }) {
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/sign-in');
}

/** Adds a user with a password by the command line. */
export async function addUser(keydesk, { name, email, role, password }, company = COMPANY) {
  const person = ['--company', company, '--name', name, '--email', email, '--role', role];
  await keydesk.command(['user', 'add', ...person, '--password-stdin'], `${password}\n`);
}

/** Invites a user. Returns the link. Ends on the page that shows it. */
export async function invite(page, { name, email, role }) {
  await page.goto(USERS);
  await page.getByRole('link', { name: 'Add user' }).click();
  await overlay(page).getByLabel('Name').fill(name);
  await overlay(page).getByLabel('Email').fill(email);
  await overlay(page).locator(`[name="role"][value="${role}"]`).check();
  await overlay(page).getByRole('button', { name: 'Add user' }).click();
  return overlay(page).locator('#invitation-link').textContent();
}

/** Accepts an invitation. Ends on the list of keys. */
export async function accept(page, link, { password }) {
  await page.goto(link);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.waitForURL(`**${KEYS}`);
}

/** Sets up a second factor. Returns the authenticator app and the recovery codes. Ends on the page that shows the codes. */
export async function setUpSecondFactor(page, password) {
  await page.goto(SECOND_FACTOR);
  const app = new Authenticator(await page.locator('#second-factor-secret').textContent());
  await page.getByRole('textbox', { name: 'Code' }).fill(app.code());
  await page.getByLabel('Current password').fill(password);
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await ready(page);
  return { app, recoveryCodes: await page.locator('#recovery-codes code').allTextContents() };
}

/** Adds a key. Returns its id, name and the key itself. Ends on the page that shows the key. */
export async function addKey(page, name) {
  await page.goto(KEYS);
  await page.getByRole('link', { name: 'Add API Key' }).first().click();
  await overlay(page).getByLabel('Service account name').fill(name);
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  return { name, ...(await newKey(page)) };
}

/** Rotates a key. Returns the new key, as `addKey` does. Ends on the page that shows the new key. */
export async function rotateKey(page, { id, name }, oldKey = 'Keep it working for 24 hours') {
  await page.goto(`${KEYS}/${id}`);
  await page.getByRole('link', { name: 'Rotate', exact: true }).click();
  await overlay(page).getByRole('radio', { name: oldKey }).check();
  await overlay(page).getByRole('button', { name: 'Rotate key' }).click();
  return { name, ...(await newKey(page)) };
}

async function newKey(page) {
  const shown = overlay(page).locator('#new-key');
  return { id: await shown.getAttribute('data-key-id'), key: await shown.textContent() };
}

export function preview(key) {
  return `${key.slice(0, 8)}…${key.slice(-4)}`;
}

/** Fills the form for a new key with an expiry date, without sending it. */
export async function fillExpiryDate(page, name, date) {
  await page.goto(`${KEYS}/new`);
  await overlay(page).getByLabel('Service account name').fill(name);
  await overlay(page).getByLabel('Expires', { exact: true }).selectOption('On a date');
  await overlay(page).getByLabel('Date', { exact: true }).fill(date);
}

/** The date in this many days, as `YYYY-MM-DD`. */
export function dateIn(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
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

/** The dialog over a page. With scripts only a modal dialog counts: before that, the script still moves it and its focus. */
export function overlay(page) {
  return page.locator(hasScript(page) ? 'dialog:modal' : 'dialog[open]');
}

export function confirmation(page, name) {
  return overlay(page).and(page.getByRole('alertdialog', { name }));
}

export function userRow(page, { name }) {
  return page.locator('tr[data-user-id]').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
}

export function row(page, { id }) {
  return page.locator(`tr[data-key-id="${id}"]`);
}

export function events(page, action, { id }) {
  return page.locator(`[data-event-id][data-action="${action}"][data-key-id="${id}"]`);
}
