// Users, the account, the second factor, the key policy and invitations.

import { SECOND_FACTOR_EMAIL, LONG_NAMED } from './fixtures.mjs';
import {
  ACCOUNT,
  ADMIN,
  KEYS,
  KEY_POLICY,
  SECOND_FACTOR,
  USERS,
  accept,
  addKey,
  startSignIn,
  enterCode,
  invite,
  overlay,
  userRow,
  setUpSecondFactor,
  signIn,
  signOut,
} from './steps.mjs';
import { at, submitEmpty } from './navigation.mjs';

let invited = 0;
const newPerson = () => {
  invited += 1;
  return { name: `Lena Vogt ${invited}`, email: `lena.vogt.${invited}@brightwater.example`, role: 'admin', password: 'six kites above a muddy harbour' };
};
const WITH_KEYS = 'Maria Lindqvist';
const INVITED = 'Elif Demir';

/** Opens a link in the row of a user. */
const openRowLink = (link, name) => async (page) => {
  await page.goto(USERS);
  await userRow(page, { name }).getByRole('link', { name: `${link} ${name}`, exact: true }).click();
  await overlay(page).waitFor();
};
/** Opens a dialog that the list does not offer to the only admin. */
const openOwn = (dialog) => async (page) => {
  await page.goto(USERS);
  const id = await userRow(page, ADMIN).getAttribute('data-user-id');
  await page.goto(`${USERS}/${id}/${dialog}`);
  await overlay(page).waitFor();
};
const confirm = (page, button) => overlay(page).getByRole('button', { name: button }).click();
const refused = (page) => overlay(page).getByRole('alert').waitFor();
const confirmed = (page) => page.getByRole('status').waitFor();
const inAnotherBrowser = async (page, act) => {
  const { origin } = new URL(page.url());
  const context = await page.context().browser().newContext({ baseURL: origin });
  await act(await context.newPage());
  await context.close();
};
/** Signs in twice. Ends on the account page. */
const signInTwice = async (page) => {
  await page.goto('/sign-in');
  await inAnotherBrowser(page, (other) => signIn(other, LONG_NAMED));
  await signIn(page, LONG_NAMED);
  await page.goto(ACCOUNT);
};
/** Deletes a user who has created `keys` keys. */
const deleteUser = (keys) => async (page) => {
  const person = newPerson();
  const link = await invite(page, person);
  await inAnotherBrowser(page, async (other) => {
    await accept(other, link, person);
    for (let key = 1; key <= keys; key += 1) await addKey(other, `${person.name} ${key}`);
  });
  await openRowLink('Delete', person.name)(page);
  if (keys > 0) await overlay(page).getByLabel('New owner').selectOption({ label: 'Tomasz Wójcik' });
  await confirm(page, 'Delete user');
  await confirmed(page);
};

export const userScenes = [
  { name: 'the list of users', fixture: 'demo', open: at(USERS) },
  { name: 'the list of users, for an auditor', fixture: 'auditor', open: at(USERS) },
  { name: 'the list of users with a long name', fixture: 'empty', open: at(USERS) },
  { name: 'the form for a new user', fixture: 'demo', open: at(`${USERS}/new`) },
  { name: 'the form for a new user, refused', fixture: 'demo', open: submitEmpty(`${USERS}/new`, 'Add user') },
  { name: 'an invitation link', fixture: 'demo', open: (page) => invite(page, newPerson()) },
  { name: 'the question before a password is reset', fixture: 'demo', open: openRowLink('Reset password of', 'Tomasz Wójcik') },
  { name: 'the question before an invitation is sent again', fixture: 'demo', open: openRowLink('Resend invitation of', INVITED) },
  {
    name: 'a new link for a user',
    fixture: 'demo',
    open: async (page) => {
      await openRowLink('Resend invitation of', INVITED)(page);
      await confirm(page, 'Resend invitation');
      await page.locator('#invitation-link').waitFor();
    },
  },
  { name: 'the form for a role', fixture: 'demo', open: openRowLink('Change role of', INVITED) },
  {
    name: 'the form for a role, refused',
    fixture: 'empty',
    open: async (page) => {
      await openOwn('role')(page);
      await overlay(page).getByRole('radio', { name: 'Auditor' }).check();
      await confirm(page, 'Change role');
      await overlay(page).locator('.field-error').waitFor();
    },
  },
  {
    name: 'the list of users after a change of role',
    fixture: 'demo',
    open: async (page) => {
      await openRowLink('Change role of', INVITED)(page);
      await overlay(page).locator('[name="role"]:not(:checked)').check();
      await confirm(page, 'Change role');
      await confirmed(page);
    },
  },
  { name: 'the deletion of a user without keys', fixture: 'demo', open: openRowLink('Delete', INVITED) },
  { name: 'the deletion of a user with keys', fixture: 'demo', open: openRowLink('Delete', WITH_KEYS) },
  {
    name: 'the deletion of a user with keys, refused',
    fixture: 'demo',
    open: async (page) => {
      await openRowLink('Delete', WITH_KEYS)(page);
      await confirm(page, 'Delete user');
      await overlay(page).locator('[aria-invalid="true"]').waitFor();
    },
  },
  {
    name: 'the deletion of the last admin, refused',
    fixture: 'empty',
    open: async (page) => {
      await openOwn('delete')(page);
      await confirm(page, 'Delete user');
      await refused(page);
    },
  },
  { name: 'the deletion of a user with a long name', fixture: 'empty', open: openRowLink('Delete', LONG_NAMED.name) },
  { name: 'the list of users after a deletion', fixture: 'demo', open: deleteUser(0) },
  { name: 'the list of users after keys were handed over', fixture: 'demo', open: deleteUser(2) },
  { name: 'the audit trail after keys were handed over', fixture: 'demo', open: at(`${KEYS}?audit=open`) },

  { name: 'the account', fixture: 'demo', open: at(ACCOUNT) },
  {
    name: 'the account after a change',
    fixture: 'auditor',
    open: async (page) => {
      await page.goto(ACCOUNT);
      const zone = page.getByLabel('Time zone');
      await zone.selectOption((await zone.inputValue()) === 'Europe/Oslo' ? 'Europe/London' : 'Europe/Oslo');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await confirmed(page);
    },
  },
  {
    name: 'the account, a name refused',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(ACCOUNT);
      await page.getByLabel('Name', { exact: true }).fill('');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  {
    name: 'the account, a password refused',
    fixture: 'demo',
    open: async (page, keydesk) => {
      await page.goto(ACCOUNT);
      await page.getByLabel('Current password').fill(keydesk.output('Password'));
      await page.getByLabel('New password').fill('too short');
      await page.getByRole('button', { name: 'Change password' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  { name: 'the account with a second factor', fixture: 'secondFactor', open: at(ACCOUNT) },
  { name: 'the second factor, off', fixture: 'demo', open: at(SECOND_FACTOR) },
  { name: 'the second factor, off, a code refused', fixture: 'demo', open: submitEmpty(SECOND_FACTOR, 'Turn on') },
  {
    name: 'the second factor, off, a password refused',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(SECOND_FACTOR);
      await page.getByLabel('Current password').fill('not the password');
      await page.getByRole('button', { name: 'Turn on' }).click();
      await page.locator('#current_password[aria-invalid="true"]').waitFor();
    },
  },
  { name: 'the second factor, required', fixture: 'secondFactorRequired', open: at(SECOND_FACTOR) },
  { name: 'the second factor, on', fixture: 'secondFactor', open: at(SECOND_FACTOR) },
  { name: 'the second factor, on, a password refused', fixture: 'secondFactor', open: submitEmpty(SECOND_FACTOR, 'Turn off') },
  {
    name: 'the recovery codes',
    fixture: 'secondFactor',
    open: async (page, keydesk) => {
      await page.goto(SECOND_FACTOR);
      await page.getByLabel('Current password').fill(keydesk.output('Password'));
      await page.getByRole('button', { name: 'Turn off' }).click();
      await confirmed(page);
      await setUpSecondFactor(page, keydesk.output('Password'));
    },
  },

  { name: 'the key policy', fixture: 'demo', open: at(KEY_POLICY) },
  {
    name: 'the key policy, saved',
    fixture: 'empty',
    open: async (page) => {
      await page.goto(KEY_POLICY);
      const reminder = page.getByLabel('Rotation reminder');
      await reminder.selectOption((await reminder.inputValue()) === '180' ? '365 days' : '180 days');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await confirmed(page);
    },
  },
  {
    name: 'the key policy, refused',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(KEY_POLICY);
      await page.getByText('Why this maximum').first().click();
      await page.getByLabel('Why this maximum').fill('Too long a reason. '.repeat(40));
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
    },
  },
  { name: 'the key policy, for an auditor', fixture: 'auditor', open: at(KEY_POLICY) },

  {
    name: 'the account after another session was ended',
    fixture: 'emptySignedOut',
    open: async (page) => {
      await signInTwice(page);
      await page.getByRole('button', { name: /^Sign out the session/ }).first().click();
      await confirmed(page);
    },
  },
  {
    name: 'the account after all other sessions were ended',
    fixture: 'emptySignedOut',
    open: async (page) => {
      await signInTwice(page);
      await page.getByRole('button', { name: 'Sign out all other sessions' }).click();
      await confirmed(page);
    },
  },
  {
    name: 'the sign-in page after signing out',
    fixture: 'emptySignedOut',
    open: async (page) => {
      await page.goto('/');
      await signIn(page, LONG_NAMED);
      await signOut(page);
    },
  },

  { name: 'an invitation', fixture: 'demo', open: async (page) => page.goto(await invite(page, newPerson())) },
  {
    name: 'an invitation, refused',
    fixture: 'demo',
    open: async (page) => submitEmpty(await invite(page, newPerson()), 'Set password')(page),
  },
  { name: 'an invitation that no longer works', fixture: 'signedOut', open: at('/invitation?token=nothing') },
  {
    name: 'the page for a code',
    fixture: 'signedOut',
    open: (page, keydesk) => startSignIn(page, { email: SECOND_FACTOR_EMAIL, password: keydesk.output('Password') }),
  },
  {
    name: 'the page for a code, refused',
    fixture: 'signedOut',
    open: async (page, keydesk) => {
      await startSignIn(page, { email: SECOND_FACTOR_EMAIL, password: keydesk.output('Password') });
      await enterCode(page, '000000');
      await page.getByRole('alert').waitFor();
    },
  },
];
