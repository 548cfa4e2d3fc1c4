// The Audit Trail page and its overlays.

import { AUDIT_TRAIL, EVIDENCE, GENERAL, dateIn, overlay } from './steps.mjs';
import { at } from './navigation.mjs';

const rows = (page, action) => page.locator(`tr[data-action="${action}"]`);
const filtered = async (page) => {
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

const renameToNothing = async (page) => {
  await page.goto(GENERAL);
  await page.getByLabel('Company name').fill('');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.locator('[aria-invalid="true"]').waitFor();
};

export const trailScenes = [
  { name: 'every event', fixture: 'demo', open: at(AUDIT_TRAIL) },
  { name: 'every event, for an auditor', fixture: 'auditor', open: at(AUDIT_TRAIL) },
  { name: 'every event, filtered', fixture: 'demo', open: filtered },
  {
    name: 'every event, while actions are chosen',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${AUDIT_TRAIL}?action=api_key.revoked`);
      await page.locator('.several summary').click();
    },
  },
  { name: 'every event, where none match', fixture: 'demo', open: at(`${AUDIT_TRAIL}?from=1999-01-01&to=1999-12-31`) },
  { name: 'every event, between invalid dates', fixture: 'demo', open: at(`${AUDIT_TRAIL}?from=soon&to=2026-02-30`) },
  { name: 'every event, from Keydesk itself', fixture: 'auditor', open: at(`${AUDIT_TRAIL}?user=system`) },
  { name: 'the evidence', fixture: 'demo', open: at(EVIDENCE) },
  { name: 'the evidence of filtered events', fixture: 'auditor', open: at(`${EVIDENCE}?action=api_key.revoked`) },
  { name: 'the general page', fixture: 'demo', open: at(GENERAL) },
  { name: 'the general page, for an auditor', fixture: 'auditor', open: at(GENERAL) },
  { name: 'the general page, refused', fixture: 'demo', open: renameToNothing },
  { name: 'the evidence, an export with an unknown checkpoint size refused', fixture: 'auditor', open: at(`${AUDIT_TRAIL}/export.jsonl?action=company.changed&since=9999`) },
  { name: 'the event of a revocation', fixture: 'demo', open: event('api_key.revoked') },
  { name: 'the event of a deletion', fixture: 'demo', open: event('user.deleted') },
  { name: 'the event of a rotation', fixture: 'demo', open: event('api_key.rotated') },
  { name: 'the event of a changed policy', fixture: 'demo', open: event('company.changed') },
  {
    name: 'the page of a revoked key, with the summary',
    fixture: 'demo',
    open: async (page) => {
      await filtered(page);
      await page.locator('.filtered-key a').first().click();
      await page.locator('.answer').waitFor();
    },
  },
];
