// The Audit Trail page and what lies over it.

import { AUDIT_TRAIL, dateIn, overlay } from './steps.mjs';
import { at } from './ways.mjs';

const rows = (page, action) => page.locator(`tr[data-action="${action}"]`);
const narrowed = async (page) => {
  await page.goto(AUDIT_TRAIL);
  const key = await rows(page, 'api_key.revoked').first().getAttribute('data-key-id');
  const query = `from=${dateIn(-900)}&to=${dateIn(1)}&action=api_key.created&action=api_key.revoked&key=${key}`;
  await page.goto(`${AUDIT_TRAIL}?${query}`);
};
const event = (action) => async (page) => {
  await page.goto(`${AUDIT_TRAIL}?action=${action}`);
  await rows(page, action).first().getByRole('rowheader').getByRole('link').click();
  await overlay(page).waitFor();
};

export const trailScenes = [
  { name: 'every event', where: 'demo', open: at(AUDIT_TRAIL) },
  { name: 'every event, for an auditor', where: 'auditor', open: at(AUDIT_TRAIL) },
  { name: 'every event, filtered', where: 'demo', open: narrowed },
  {
    name: 'every event, while actions are chosen',
    where: 'demo',
    open: async (page) => {
      await page.goto(`${AUDIT_TRAIL}?action=api_key.revoked`);
      await page.locator('.several summary').click();
    },
  },
  { name: 'every event, where none match', where: 'demo', open: at(`${AUDIT_TRAIL}?from=1999-01-01&to=1999-12-31`) },
  { name: 'every event, between dates that are none', where: 'demo', open: at(`${AUDIT_TRAIL}?from=soon&to=2026-02-30`) },
  { name: 'every event, an export refused that is to fit a larger checkpoint', where: 'auditor', open: at(`${AUDIT_TRAIL}/export.jsonl?action=company.changed&since=9999`) },
  { name: 'the event of a revocation', where: 'demo', open: event('api_key.revoked') },
  { name: 'the event of a deletion', where: 'demo', open: event('user.deleted') },
  { name: 'the event of a rotation', where: 'demo', open: event('api_key.rotated') },
  { name: 'the event of a changed policy', where: 'demo', open: event('company.changed') },
  {
    name: 'the page of a revoked key, with the answer',
    where: 'demo',
    open: async (page) => {
      await narrowed(page);
      await page.locator('.filtered-key a').first().click();
      await page.locator('.answer').waitFor();
    },
  },
];
