// Every page and state worth looking at, where it plays (stage.mjs) and how to get there. The checks of pages.test.mjs
// and the pictures of screens.mjs walk the same list: a page that is added here is checked and drawn. A scene is played
// more than once.

import { hardScenes } from './hard-scenes.mjs';
import { lifeScenes } from './life-scenes.mjs';
import { peopleScenes } from './people-scenes.mjs';
import { trailScenes } from './trail-scenes.mjs';
import { KEYS, addKey, revokeKey } from './steps.mjs';
import { at, submitEmpty } from './ways.mjs';

let made = 0;
const newName = () => `Customs declarations ${(made += 1)}`;
const firstKey = async (page) => {
  await page.goto(KEYS);
  return page.locator('tr[data-key-id]').first().getAttribute('data-key-id');
};

export const scenes = [
  { name: 'the list', where: 'demo', open: at(KEYS) },
  { name: 'the list of revoked keys', where: 'demo', open: at(`${KEYS}?tab=revoked`) },
  { name: 'the list, for an auditor', where: 'auditor', open: at(KEYS) },
  { name: 'a search that finds nothing', where: 'demo', open: at(`${KEYS}?q=zebra`) },
  { name: 'the form for a new key', where: 'demo', open: at(`${KEYS}/new`) },
  { name: 'the form for a new key, refused', where: 'demo', open: submitEmpty(`${KEYS}/new`, 'Create key') },
  { name: 'the new key', where: 'demo', open: (page) => addKey(page, newName()) },
  {
    name: 'the new key, asked for again',
    where: 'demo',
    open: async (page) => {
      await addKey(page, newName());
      await page.reload();
    },
  },
  { name: 'the confirmation of a revocation', where: 'demo', open: async (page) => page.goto(`${KEYS}/${await firstKey(page)}/revoke`) },
  {
    name: 'the list after a revocation',
    where: 'demo',
    open: async (page) => revokeKey(page, await addKey(page, newName()), 'superseded', ''),
  },
  { name: 'the audit trail', where: 'demo', open: at(`${KEYS}?audit=open`) },
  { name: 'the audit trail of one key', where: 'demo', open: async (page) => page.goto(`${KEYS}?audit=open&key=${await firstKey(page)}`) },
  { name: 'the audit trail as a page', where: 'demo', open: at(`${KEYS}/audit-trail`) },
  { name: 'a key that does not exist', where: 'demo', open: at(`${KEYS}/nothing/revoke`) },
  { name: 'the sign-in page', where: 'outside', open: at('/sign-in') },
  {
    name: 'the sign-in page, refused',
    where: 'outside',
    open: async (page) => {
      await page.goto('/sign-in');
      await page.getByLabel('Email').fill('nobody@brightwater.example');
      await page.getByLabel('Password').fill('not the password of anybody');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Email or password is incorrect.').waitFor();
    },
  },
  { name: 'a page that does not exist', where: 'outside', open: at('/nowhere') },
  { name: 'no keys yet', where: 'empty', open: at(KEYS) },
  { name: 'no revoked keys', where: 'empty', open: at(`${KEYS}?tab=revoked`) },
  { name: 'an audit trail of nothing', where: 'empty', open: at(`${KEYS}?audit=open`) },
  { name: 'the set-up page', where: 'unopened', open: (page, keydesk) => page.goto(keydesk.said('Set-up link')) },
  {
    name: 'the set-up page, refused',
    where: 'unopened',
    open: (page, keydesk) => submitEmpty(keydesk.said('Set-up link'), 'Create company')(page),
  },
  { name: 'the set-up page without its link', where: 'unopened', open: at('/setup') },
  ...lifeScenes,
  ...peopleScenes,
  ...hardScenes,
  ...trailScenes,
];
