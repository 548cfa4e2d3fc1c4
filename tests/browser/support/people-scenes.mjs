// Users, the account, the second factor, the key policy, invitations.

import { GUARDED_EMAIL, LONG_NAMED } from './stage.mjs';
import {
  ACCOUNT,
  ADMIN,
  KEYS,
  KEY_POLICY,
  SECOND_FACTOR,
  USERS,
  accept,
  addKey,
  awaitCode,
  giveCode,
  invite,
  overlay,
  personRow,
  setUpSecondFactor,
  signIn,
  signOut,
} from './steps.mjs';
import { at, submitEmpty } from './ways.mjs';

let invited = 0;
const newPerson = () => {
  invited += 1;
  return { name: `Lena Vogt ${invited}`, email: `lena.vogt.${invited}@brightwater.example`, role: 'admin', password: 'six kites above a muddy harbour' };
};
const WITH_KEYS = 'Maria Lindqvist';
const INVITED = 'Elif Demir';

/** From the list to what `link` beside somebody's name leads to. */
const beside = (link, name) => async (page) => {
  await page.goto(USERS);
  await personRow(page, { name }).getByRole('link', { name: `${link} ${name}`, exact: true }).click();
  await overlay(page).waitFor();
};
const confirm = (page, button) => overlay(page).getByRole('button', { name: button }).click();
const refused = (page) => overlay(page).getByRole('alert').waitFor();
const said = (page) => page.getByRole('status').waitFor();
const inAnotherBrowser = async (page, act) => {
  const { origin } = new URL(page.url());
  const context = await page.context().browser().newContext({ baseURL: origin });
  await act(await context.newPage());
  await context.close();
};
/** Ends on the account, with another session open elsewhere. */
const signInTwice = async (page) => {
  await page.goto('/sign-in');
  await inAnotherBrowser(page, (theirs) => signIn(theirs, LONG_NAMED));
  await signIn(page, LONG_NAMED);
  await page.goto(ACCOUNT);
};
/** Whoever leaves has made `keys` keys. */
const leave = (keys) => async (page) => {
  const person = newPerson();
  const link = await invite(page, person);
  await inAnotherBrowser(page, async (theirs) => {
    await accept(theirs, link, person);
    for (let key = 1; key <= keys; key += 1) await addKey(theirs, `${person.name} ${key}`);
  });
  await beside('Delete', person.name)(page);
  if (keys > 0) await overlay(page).getByLabel('New owner').selectOption({ label: 'Tomasz Wójcik (Admin)' });
  await confirm(page, 'Delete user');
  await said(page);
};

export const peopleScenes = [
  { name: 'the list of users', where: 'demo', open: at(USERS) },
  { name: 'the list of users, for an auditor', where: 'auditor', open: at(USERS) },
  { name: 'the list of users with a long name', where: 'empty', open: at(USERS) },
  { name: 'the form for a new user', where: 'demo', open: at(`${USERS}/new`) },
  { name: 'the form for a new user, refused', where: 'demo', open: submitEmpty(`${USERS}/new`, 'Add user') },
  { name: 'an invitation link', where: 'demo', open: (page) => invite(page, newPerson()) },
  {
    name: 'a new link for a user',
    where: 'demo',
    open: async (page) => {
      await page.goto(USERS);
      await personRow(page, { name: INVITED }).getByRole('button', { name: 'New link' }).click();
      await page.locator('#invitation-link').waitFor();
    },
  },
  { name: 'the form for a role', where: 'demo', open: beside('Change role of', INVITED) },
  {
    name: 'the form for a role, refused',
    where: 'empty',
    open: async (page) => {
      await beside('Change role of', ADMIN.name)(page);
      await overlay(page).getByRole('radio', { name: 'Auditor' }).check();
      await confirm(page, 'Change role');
      await overlay(page).locator('.field-error').waitFor();
    },
  },
  {
    name: 'the list of users after a change of role',
    where: 'demo',
    open: async (page) => {
      await beside('Change role of', INVITED)(page);
      await overlay(page).locator('[name="role"]:not(:checked)').check();
      await confirm(page, 'Change role');
      await said(page);
    },
  },
  { name: 'the deletion of a user without keys', where: 'demo', open: beside('Delete', INVITED) },
  { name: 'the deletion of a user with keys', where: 'demo', open: beside('Delete', WITH_KEYS) },
  {
    name: 'the deletion of a user with keys, refused',
    where: 'demo',
    open: async (page) => {
      await beside('Delete', WITH_KEYS)(page);
      await confirm(page, 'Delete user');
      await overlay(page).locator('[aria-invalid="true"]').waitFor();
    },
  },
  {
    name: 'the deletion of the last admin, refused',
    where: 'empty',
    open: async (page) => {
      await beside('Delete', ADMIN.name)(page);
      await confirm(page, 'Delete user');
      await refused(page);
    },
  },
  { name: 'the deletion of a user with a long name', where: 'empty', open: beside('Delete', LONG_NAMED.name) },
  { name: 'the list of users after a deletion', where: 'demo', open: leave(0) },
  { name: 'the list of users after keys were handed over', where: 'demo', open: leave(2) },
  { name: 'the audit trail after keys were handed over', where: 'demo', open: at(`${KEYS}?audit=open`) },

  { name: 'the account', where: 'demo', open: at(ACCOUNT) },
  {
    name: 'the account after a change',
    where: 'auditor',
    open: async (page) => {
      await page.goto(ACCOUNT);
      const zone = page.getByLabel('Time zone');
      await zone.selectOption((await zone.inputValue()) === 'Europe/Oslo' ? 'Europe/London' : 'Europe/Oslo');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await said(page);
    },
  },
  {
    name: 'the account, a name refused',
    where: 'demo',
    open: async (page) => {
      await page.goto(ACCOUNT);
      await page.getByLabel('Name', { exact: true }).fill('');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  {
    name: 'the account, a password refused',
    where: 'demo',
    open: async (page, keydesk) => {
      await page.goto(ACCOUNT);
      await page.getByLabel('Current password').fill(keydesk.said('Password'));
      await page.getByLabel('New password').fill('too short');
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  { name: 'the account with a second factor', where: 'guarded', open: at(ACCOUNT) },
  { name: 'the second factor, off', where: 'demo', open: at(SECOND_FACTOR) },
  { name: 'the second factor, off, a code refused', where: 'demo', open: submitEmpty(SECOND_FACTOR, 'Turn on') },
  { name: 'the second factor, required', where: 'required', open: at(SECOND_FACTOR) },
  { name: 'the second factor, on', where: 'guarded', open: at(SECOND_FACTOR) },
  { name: 'the second factor, on, a password refused', where: 'guarded', open: submitEmpty(SECOND_FACTOR, 'Turn off') },
  {
    name: 'the recovery codes',
    where: 'guarded',
    open: async (page, keydesk) => {
      await page.goto(SECOND_FACTOR);
      await page.getByLabel('Current password').fill(keydesk.said('Password'));
      await page.getByRole('button', { name: 'Turn off' }).click();
      await said(page);
      await setUpSecondFactor(page);
    },
  },

  { name: 'the key policy', where: 'demo', open: at(KEY_POLICY) },
  {
    name: 'the key policy, saved',
    where: 'empty',
    open: async (page) => {
      await page.goto(KEY_POLICY);
      const name = page.getByLabel('Company name');
      await name.fill((await name.inputValue()).endsWith(' AS') ? 'Brightwater Foods' : 'Brightwater Foods AS');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await said(page);
    },
  },
  {
    name: 'the key policy, refused',
    where: 'demo',
    open: async (page) => {
      await page.goto(KEY_POLICY);
      await page.getByLabel('Company name').fill('');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  { name: 'the key policy, for an auditor', where: 'auditor', open: at(KEY_POLICY) },

  {
    name: 'the account after another session was ended',
    where: 'doorstep',
    open: async (page) => {
      await signInTwice(page);
      await page.getByRole('button', { name: /^End the session/ }).first().click();
      await said(page);
    },
  },
  {
    name: 'the account after all other sessions were ended',
    where: 'doorstep',
    open: async (page) => {
      await signInTwice(page);
      await page.getByRole('button', { name: 'End all others' }).click();
      await said(page);
    },
  },
  {
    name: 'the sign-in page after signing out',
    where: 'doorstep',
    open: async (page) => {
      await page.goto('/');
      await signIn(page, LONG_NAMED);
      await signOut(page);
    },
  },

  { name: 'an invitation', where: 'demo', open: async (page) => page.goto(await invite(page, newPerson())) },
  {
    name: 'an invitation, refused',
    where: 'demo',
    open: async (page) => submitEmpty(await invite(page, newPerson()), 'Set password')(page),
  },
  { name: 'an invitation that no longer works', where: 'outside', open: at('/invitation?token=nothing') },
  {
    name: 'the page for a code',
    where: 'outside',
    open: (page, keydesk) => awaitCode(page, { email: GUARDED_EMAIL, password: keydesk.said('Password') }),
  },
  {
    name: 'the page for a code, refused',
    where: 'outside',
    open: async (page, keydesk) => {
      await awaitCode(page, { email: GUARDED_EMAIL, password: keydesk.said('Password') });
      await giveCode(page, '000000');
      await page.getByRole('alert').waitFor();
    },
  },
];
