// The scenes: every page in every state, with its fixture (fixtures.mjs) and the way to open it. scenes.test.mjs checks them
// all, and screens.mjs takes their screenshots. A scene is opened more than once.

import { edgeCaseScenes } from './edge-case-scenes.mjs';
import { keyScenes } from './key-scenes.mjs';
import { userScenes } from './user-scenes.mjs';
import { trailScenes } from './trail-scenes.mjs';
import { KEYS, PRACTICE, addKey, revokeKey } from './steps.mjs';
import { at, submitEmpty } from './navigation.mjs';

let count = 0;
const newName = () => `Customs declarations ${(count += 1)}`;
const firstKey = async (page) => {
  await page.goto(KEYS);
  return page.locator('tr[data-key-id]').first().getAttribute('data-key-id');
};

export const scenes = [
  { name: 'the list', fixture: 'demo', open: at(KEYS) },
  { name: 'the list of revoked keys', fixture: 'demo', open: at(`${KEYS}?tab=revoked`) },
  { name: 'the list, for an auditor', fixture: 'auditor', open: at(KEYS) },
  { name: 'the list, filtered', fixture: 'demo', open: at(`${KEYS}?practice=human-client&expires=never`) },
  { name: 'the list, filtered to nothing', fixture: 'demo', open: at(`${KEYS}?practice=review-due`) },
  {
    name: 'the filters of the list',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(KEYS);
      await page.getByText('Filters', { exact: true }).click();
    },
  },
  {
    name: 'the further actions of a key',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(KEYS);
      await page.locator('.menu summary').first().click();
    },
  },
  {
    name: 'a new key whose name tells nothing',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/new`);
      await page.getByLabel('Service account name').fill('key1');
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.getByText('does not say which system uses the key').waitFor();
    },
  },
  { name: 'the practice of the company', fixture: 'demo', open: at(PRACTICE) },
  { name: 'the practice of a company without keys', fixture: 'empty', open: at(PRACTICE) },
  { name: 'a search that finds nothing', fixture: 'demo', open: at(`${KEYS}?q=zebra`) },
  { name: 'the form for a new key', fixture: 'demo', open: at(`${KEYS}/new`) },
  { name: 'the form for a new key, refused', fixture: 'demo', open: submitEmpty(`${KEYS}/new`, 'Create key') },
  { name: 'the new key', fixture: 'demo', open: (page) => addKey(page, newName()) },
  {
    name: 'the new key, reloaded',
    fixture: 'demo',
    open: async (page) => {
      await addKey(page, newName());
      await page.reload();
    },
  },
  { name: 'the confirmation of a revocation', fixture: 'demo', open: async (page) => page.goto(`${KEYS}/${await firstKey(page)}/revoke`) },
  {
    name: 'the list after a revocation',
    fixture: 'demo',
    open: async (page) => revokeKey(page, await addKey(page, newName()), 'superseded', ''),
  },
  { name: 'the audit trail', fixture: 'demo', open: at(`${KEYS}?audit=open`) },
  { name: 'the audit trail of one key', fixture: 'demo', open: async (page) => page.goto(`${KEYS}?audit=open&key=${await firstKey(page)}`) },
  { name: 'the audit trail as a page', fixture: 'demo', open: at(`${KEYS}/audit-trail`) },
  { name: 'a key that does not exist', fixture: 'demo', open: at(`${KEYS}/nothing/revoke`) },
  { name: 'the sign-in page', fixture: 'signedOut', open: at('/sign-in') },
  {
    name: 'the sign-in page, refused',
    fixture: 'signedOut',
    open: async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Email').fill('nobody@brightwater.example');
      await page.getByLabel('Password').fill('not a valid password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Email or password is incorrect.').waitFor();
    },
  },
  { name: 'a page that does not exist', fixture: 'signedOut', open: at('/nowhere') },
  { name: 'a page that does not exist, signed in', fixture: 'demo', open: at('/nowhere') },
  { name: 'no keys yet', fixture: 'empty', open: at(KEYS) },
  { name: 'no revoked keys', fixture: 'empty', open: at(`${KEYS}?tab=revoked`) },
  { name: 'an audit trail of nothing', fixture: 'empty', open: at(`${KEYS}?audit=open`) },
  { name: 'the set-up page', fixture: 'notSetUp', open: (page, keydesk) => page.goto(keydesk.output('Set-up link')) },
  {
    name: 'the set-up page, refused',
    fixture: 'notSetUp',
    open: (page, keydesk) => submitEmpty(keydesk.output('Set-up link'), 'Create company')(page),
  },
  { name: 'the set-up page without its link', fixture: 'notSetUp', open: at('/setup') },
  ...keyScenes,
  ...userScenes,
  ...edgeCaseScenes,
  ...trailScenes,
];
