// What people do on the pages, in their words.

import assert from 'node:assert/strict';
import { Authenticator } from './authenticator.mjs';
import { hasScript, ready } from './visitor.mjs';

export const KEYS = '/administration/company-settings/api-keys';
export const KEY_POLICY = '/administration/company-settings/key-policy';
export const AUDIT_TRAIL = '/administration/company-settings/audit-trail';
export const USERS = '/administration/access-control/users';
export const ACCOUNT = '/account';
export const SECOND_FACTOR = '/account/second-factor';

export const COMPANY = 'Brightwater Foods';
export const ADMIN = { name: 'Maria Lindqvist', email: 'maria@brightwater.example', password: 'seven lanterns over a slow canoe' };
export const AUDITOR = { name: 'Priya Raman', email: 'priya@brightwater.example', role: 'auditor', password: 'the quiet ledger keeps its own time' };
export const COLLEAGUE = { name: 'Tomasz Wójcik', email: 'tomasz@brightwater.example', role: 'admin', password: 'four herons under a tin umbrella' };

/** An address, until all of its page is there, and an overlay on it modal where there is a script. */
export async function open(page, path) {
  const answer = await page.goto(path);
  await ready(page);
  return answer;
}

export async function setUp(page, keydesk, { company = COMPANY, admin = ADMIN } = {}) {
  await page.goto(keydesk.said('Set-up link'));
  await page.getByLabel('Company name').fill(company);
  await page.getByLabel('Your name').fill(admin.name);
  await page.getByLabel('Email').fill(admin.email);
  await page.getByLabel('Password').fill(admin.password);
  await page.getByRole('button', { name: 'Create company' }).click();
  await page.waitForURL(`**${KEYS}`);
}

export async function signIn(page, person) {
  await givePassword(page, person);
  await page.waitForURL(`**${KEYS}`);
}

/** The first step of signing in, for whoever has a second factor. */
export async function awaitCode(page, person) {
  await givePassword(page, person);
  await page.waitForURL('**/sign-in/code');
}

/** The second step. Where it leads depends on the code. */
export async function giveCode(page, code) {
  await page.getByRole('textbox', { name: 'Code' }).fill(code);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function givePassword(page, { email, password }) {
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
}

/** From the command line, with a password and without an invitation. */
export async function addUser(keydesk, { name, email, role, password }, company = COMPANY) {
  const person = ['--company', company, '--name', name, '--email', email, '--role', role];
  await keydesk.command(['user', 'add', ...person, '--password-stdin'], `${password}\n`);
}

/** From the list of users to the page that shows the link. Gives the link. */
export async function invite(page, { name, email, role }) {
  await page.goto(USERS);
  await page.getByRole('link', { name: 'Add user' }).click();
  await overlay(page).getByLabel('Name').fill(name);
  await overlay(page).getByLabel('Email').fill(email);
  await overlay(page).locator(`[name="role"][value="${role}"]`).check();
  await overlay(page).getByRole('button', { name: 'Add user' }).click();
  return overlay(page).locator('#invitation-link').textContent();
}

/** From the link to the list of keys. */
export async function accept(page, link, { password }) {
  await page.goto(link);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.waitForURL(`**${KEYS}`);
}

/** From its page to the one that shows the recovery codes. Gives them and the authenticator app. */
export async function setUpSecondFactor(page) {
  await page.goto(SECOND_FACTOR);
  const app = new Authenticator(await page.locator('#second-factor-secret').textContent());
  await page.getByRole('textbox', { name: 'Code' }).fill(app.code());
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await ready(page);
  return { app, recoveryCodes: await page.locator('#recovery-codes code').allTextContents() };
}

/** From the list to the page that shows the key. Gives its id, its name and the key itself. */
export async function addKey(page, name) {
  await page.goto(KEYS);
  await page.getByRole('link', { name: 'Add API Key' }).first().click();
  await overlay(page).getByLabel('Service account name').fill(name);
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  return { name, ...(await newKey(page)) };
}

/** From the page of a key to the one that shows its successor. Gives that, like `addKey`. */
export async function rotateKey(page, { id, name }, oldKey = 'Works for 24 more hours') {
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

/** The form for a new key with that date, not sent yet. */
export async function wishForDate(page, name, date) {
  await page.goto(`${KEYS}/new`);
  await overlay(page).getByLabel('Service account name').fill(name);
  await overlay(page).getByLabel('Expires', { exact: true }).selectOption('On a date');
  await overlay(page).getByLabel('Date', { exact: true }).fill(date);
}

/** `YYYY-MM-DD`, so many days from now. */
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

/** The dialog over a page. Where there is a script it is not there before it is modal: until then it is moved and its focus set. */
export function overlay(page) {
  return page.locator(hasScript(page) ? 'dialog:modal' : 'dialog[open]');
}

export function confirmation(page, name) {
  return overlay(page).and(page.getByRole('alertdialog', { name }));
}

export function personRow(page, { name }) {
  return page.locator('tr[data-user-id]').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
}

export function row(page, { id }) {
  return page.locator(`tr[data-key-id="${id}"]`);
}

export function events(page, action, { id }) {
  return page.locator(`[data-event-id][data-action="${action}"][data-key-id="${id}"]`);
}
