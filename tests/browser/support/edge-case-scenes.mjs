// Error pages, one for each status, and pages with long and right-to-left names.

import { KEYS, KEY_POLICY, USERS, addKey, overlay, userRow } from './steps.mjs';
import { LONG, RIGHT_TO_LEFT } from './fixtures.mjs';
import { at } from './navigation.mjs';

let count = 0;
const firstKey = async (page) => {
  await page.goto(KEYS);
  return page.locator('tr[data-key-id]').first().getAttribute('data-key-id');
};
const named = (page, name) => page.locator('tr[data-key-id]').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
/** Opens the revocation of a key from its row. */
const revoke = (name) => async (page) => {
  await page.goto(KEYS);
  await named(page, name).getByRole('link', { name: `Revoke ${name}`, exact: true }).click();
  await overlay(page).waitFor();
};
const openKey = (name) => async (page) => {
  await page.goto(KEYS);
  await named(page, name).getByRole('rowheader').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
};

export const edgeCaseScenes = [
  { name: 'a request that cannot be read (400)', fixture: 'demo', open: at(`${KEYS}?q=one&q=another`) },
  { name: 'a form that is not for auditors (403)', fixture: 'auditor', open: at(`${KEYS}/new`) },
  {
    name: 'a form from another site (403)',
    fixture: 'demo',
    open: async (page, keydesk) => {
      await page.setContent(`<form method="post" action="${keydesk.url}/sign-out"></form>`);
      await page.locator('form').evaluate((form) => form.submit());
      await page.getByRole('heading', { name: 'Request blocked' }).waitFor();
    },
  },
  { name: 'an address that takes no such request (405)', fixture: 'demo', open: at('/sign-out') },
  {
    name: 'a form that is too large (413)',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/${await firstKey(page)}/revoke`);
      await overlay(page).getByLabel('Comment (optional)').fill('Too long to be sent. '.repeat(4_000));
      await overlay(page).getByRole('button', { name: 'Revoke key' }).click();
      await page.getByRole('heading', { name: 'Too large' }).waitFor();
    },
  },
  {
    name: 'a form of the wrong type (415)',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/new`);
      await page.locator('dialog form').evaluate((form) => (form.enctype = 'text/plain'));
      await overlay(page).getByRole('button', { name: 'Create key' }).click();
      await page.getByRole('heading', { name: 'Wrong format' }).waitFor();
    },
  },
  {
    name: 'a sign-in after too many failures (429)',
    fixture: 'emptySignedOut',
    open: async (page) => {
      count += 1;
      const fields = { email: `nobody.${count}@brightwater.example`, password: 'not a valid password' };
      await page.goto('/sign-in');
      const { origin } = new URL(page.url());
      for (let time = 0; time < 8; time += 1) await page.request.post('/sign-in', { form: fields, headers: { origin } });
      await page.getByLabel('Email').fill(fields.email);
      await page.getByLabel('Password').fill(fields.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText(/^Too many attempts\./).waitFor();
    },
  },
  { name: 'a defect (500)', fixture: 'broken', open: at(USERS) },
  { name: 'a database that does not answer (503)', fixture: 'broken', open: at(KEYS) },

  { name: 'hard names in the list', fixture: 'names', open: at(KEYS) },
  { name: 'hard names in the list of revoked keys', fixture: 'names', open: at(`${KEYS}?tab=revoked`) },
  { name: 'hard names in the audit trail', fixture: 'names', open: at(`${KEYS}?audit=open`) },
  { name: 'hard names in the audit trail as a page', fixture: 'names', open: at(`${KEYS}/audit-trail`) },
  { name: 'hard names among users', fixture: 'names', open: at(USERS) },
  { name: 'hard names in the key policy', fixture: 'names', open: at(KEY_POLICY) },
  { name: 'hard names on the account', fixture: 'names', open: at('/account') },
  { name: 'the page of a key with an unbroken name', fixture: 'names', open: openKey(LONG) },
  { name: 'the page of a key with a name from right to left', fixture: 'names', open: openKey(RIGHT_TO_LEFT) },
  { name: 'the confirmation of a revocation, an unbroken name', fixture: 'names', open: revoke(LONG) },
  { name: 'the confirmation of a revocation, a name from right to left', fixture: 'names', open: revoke(RIGHT_TO_LEFT) },
  { name: 'the new key of an unbroken name', fixture: 'names', open: (page) => addKey(page, `${LONG.slice(0, 60)}${(count += 1) + 1000}`) },
  { name: 'the new key of a name from right to left', fixture: 'names', open: (page) => addKey(page, `${RIGHT_TO_LEFT} ${(count += 1)}`) },
  {
    name: 'the deletion of a user whose name is from right to left',
    fixture: 'names',
    open: async (page) => {
      await page.goto(USERS);
      await userRow(page, { name: RIGHT_TO_LEFT }).getByRole('link', { name: /^Delete/ }).click();
      await overlay(page).waitFor();
    },
  },
];
