// The page of a key and its forms, revoking several keys, expiry, and the policy with keys that violate it.

import { KEYS, KEY_POLICY, addKey, dateIn, overlay, rotateKey, fillExpiryDate } from './steps.mjs';
import { at, follow } from './navigation.mjs';

let count = 0;
const newName = () => `Freight invoices ${(count += 1)}`;
const LONG_NAME = 'Wolfeschlegelsteinhausenbergerdorffschetransportversicherungsamt';
const UNKNOWN = 'goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g';

const confirmed = (page) => page.locator('.banner[role="status"]').waitFor();
const refused = (page) => overlay(page).locator(':is(.field-error, [role="alert"])').first().waitFor();
const press = (page, button) => page.getByRole('button', { name: button, exact: true }).click();
const openPage = (page, { id }) => page.goto(`${KEYS}/${id}`);
/** Opens the page of a key of the sample company. */
const openFirst = (tab, status) => async (page) => {
  await page.goto(`${KEYS}?tab=${tab}`);
  await follow(page, page.locator(`tr[data-status="${status}"] th a`).first());
};
/** Opens a form on the page of a new key. */
const form = (link) => async (page) => {
  await openPage(page, await addKey(page, newName()));
  await page.getByRole('link', { name: link, exact: true }).click();
  await overlay(page).waitFor();
};
const rotated = async (page) => {
  const old = await addKey(page, newName());
  return { old, replacement: await rotateKey(page, old) };
};
const select = async (page, count) => {
  await page.goto(KEYS);
  const boxes = page.locator('tr input[name="key"]');
  for (let index = 0; index < count; index += 1) await boxes.nth(index).check();
  await press(page, 'Revoke selected');
  await overlay(page).waitFor();
};

/** Opens the page of the key of the sample company whose row has these words. */
const inUse = (words) => async (page) => {
  await page.goto(KEYS);
  await page.locator('tr[data-key-id]').filter({ hasText: words }).first().locator('th a').click();
  await page.getByRole('region', { name: 'Usage' }).waitFor();
};

export const keyScenes = [
  { name: 'the list in the order of last use', fixture: 'demo', open: at(`${KEYS}?sort=last-used`) },
  { name: 'the page of a key that is in use', fixture: 'demo', open: inUse('ERP Sync Service') },
  {
    name: 'the page of a key that many systems use, its figures open',
    fixture: 'demo',
    open: async (page) => {
      await inUse('Reporting Dashboard')(page);
      await page.getByText('Requests by day').click();
    },
  },
  { name: 'the page of an old key that is still in use', fixture: 'demo', open: inUse(/Warehouse Label Printer[^]*Ends in/) },
  {
    name: 'the confirmation of the revocation of a key that is in use',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(KEYS);
      await page.getByRole('link', { name: 'Revoke ERP Sync Service', exact: true }).click();
      await overlay(page).getByText('This key is in use.').waitFor();
    },
  },
  { name: 'the page of a key', fixture: 'demo', open: async (page) => openPage(page, await addKey(page, newName())) },
  {
    name: 'the page of a key with a long name',
    fixture: 'strict',
    open: async (page) => openPage(page, await addKey(page, `${LONG_NAME.slice(0, -2)}${(count += 1) + 10}`)),
  },
  {
    name: 'the page of a key that is being replaced',
    fixture: 'demo',
    open: async (page) => openPage(page, (await rotated(page)).old),
  },
  {
    name: 'the page of a key that is being replaced, for an auditor',
    fixture: 'auditor',
    open: async (page) => {
      await page.goto(KEYS);
      await follow(page, page.locator('tr[data-key-id]').filter({ hasText: 'Ends in' }).first().getByRole('rowheader').getByRole('link'));
    },
  },
  {
    name: 'the page of a key that replaces another',
    fixture: 'demo',
    open: async (page) => openPage(page, (await rotated(page)).replacement),
  },
  {
    name: 'the page of a key after its time was extended',
    fixture: 'demo',
    open: async (page) => {
      await openPage(page, (await rotated(page)).old);
      await press(page, 'Extend by 7 days');
      await confirmed(page);
    },
  },
  {
    name: 'the page of a key after it was ended',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/${(await rotated(page)).old.id}/end`);
      await press(page, 'End now');
      await confirmed(page);
    },
  },
  { name: 'the page of a revoked key', fixture: 'demo', open: openFirst('revoked', 'revoked') },
  { name: 'the page of an expired key', fixture: 'demo', open: openFirst('revoked', 'expired') },
  {
    name: 'the page of a key after it was renamed',
    fixture: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Service account name').fill(newName());
      await press(page, 'Save changes');
      await confirmed(page);
    },
  },
  {
    name: 'the page of a key after it was handed over',
    fixture: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Owner').selectOption('Priya Raman');
      await press(page, 'Save changes');
      await confirmed(page);
    },
  },
  { name: 'the form for a name and an owner', fixture: 'demo', open: form('Edit') },
  {
    name: 'the form for a name and an owner, refused',
    fixture: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Service account name').fill('ERP Sync Service');
      await press(page, 'Save changes');
      await refused(page);
    },
  },
  {
    name: 'the confirmation of the end of an old key that is in use',
    fixture: 'demo',
    open: async (page) => {
      await inUse(/Warehouse Label Printer[^]*Ends in/)(page);
      await page.getByRole('link', { name: 'End now', exact: true }).click();
      await overlay(page).getByText('This key is in use.').waitFor();
    },
  },
  {
    name: 'the page of a service account',
    fixture: 'demo',
    open: async (page) => {
      await inUse(/Warehouse Label Printer[^]*Ends in/)(page);
      await follow(page, page.getByRole('link', { name: 'All keys of this account', exact: true }));
    },
  },
  {
    name: 'the page of a key after an edit of everything',
    fixture: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Service account name').fill(newName());
      await overlay(page).getByLabel('Purpose').fill('Copies orders and stock levels between the ERP system and the platform.');
      await overlay(page).getByLabel('Department').fill('Logistics');
      await overlay(page).getByLabel('Contact').fill('#logistics-it');
      await overlay(page).getByLabel('Expires', { exact: true }).selectOption({ value: '90d' });
      await press(page, 'Save changes');
      await confirmed(page);
    },
  },
  {
    name: 'the page of the new key after a rotation',
    fixture: 'demo',
    open: async (page) => {
      await rotated(page);
      await follow(page, page.locator('#saved'));
    },
  },
  {
    name: 'the form for a rotation of a key that is in use',
    fixture: 'demo',
    open: async (page) => {
      await inUse('ERP Sync Service')(page);
      await page.getByRole('link', { name: 'Rotate', exact: true }).click();
      await overlay(page).getByText('This key is in use.').waitFor();
    },
  },
  { name: 'the form for a rotation', fixture: 'demo', open: form('Rotate') },
  {
    name: 'the form for a rotation, a date refused',
    fixture: 'demo',
    open: async (page) => {
      await form('Rotate')(page);
      await overlay(page).getByLabel('New key expires', { exact: true }).selectOption('On a date');
      await press(page, 'Rotate key');
      await refused(page);
    },
  },
  {
    name: 'the form for a rotation, refused',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/${(await rotated(page)).old.id}/rotate`);
      await refused(page);
    },
  },
  {
    name: 'the form for the rotation of an expired key',
    fixture: 'demo',
    open: async (page) => {
      await openFirst('revoked', 'expired')(page);
      await page.getByRole('link', { name: 'Rotate', exact: true }).click();
      await overlay(page).waitFor();
    },
  },
  { name: 'the new key of a rotation', fixture: 'demo', open: rotated },
  {
    name: 'a key that has been revoked and cannot be edited',
    fixture: 'demo',
    open: async (page) => {
      await openFirst('revoked', 'revoked')(page);
      await page.goto(`${page.url()}/edit`);
    },
  },
  {
    name: 'the list with keys that end soon',
    fixture: 'demo',
    open: async (page) => {
      await fillExpiryDate(page, newName(), dateIn(9));
      await press(page, 'Create key');
      await overlay(page).locator('#new-key').waitFor();
      await rotated(page);
      await page.goto(KEYS);
    },
  },
  {
    name: 'the list after a key was revoked together with others',
    fixture: 'demo',
    open: async (page) => {
      for (let key = 1; key <= 3; key += 1) await addKey(page, newName());
      await select(page, 3);
      await press(page, 'Revoke 3 keys');
      await confirmed(page);
    },
  },
  { name: 'the confirmation of several revocations', fixture: 'demo', open: (page) => select(page, 6) },
  { name: 'the confirmation of several revocations, none selected', fixture: 'demo', open: at(`${KEYS}/revoke`) },
  {
    name: 'the confirmation of several revocations, refused',
    fixture: 'demo',
    open: async (page) => {
      await select(page, 3);
      await overlay(page).getByLabel('Comment (optional)').fill('Replaced. '.repeat(60));
      await press(page, 'Revoke 3 keys');
      await refused(page);
    },
  },
  { name: 'a search for a whole key', fixture: 'demo', open: at(`${KEYS}?q=${UNKNOWN}`) },
  {
    name: 'a whole key that is not known',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}?q=${UNKNOWN}`);
      await page.getByLabel('Paste the key once more').fill(UNKNOWN);
      await press(page, 'Find the key you pasted');
      await refused(page);
    },
  },
  {
    name: 'the form for a new key, a date refused',
    fixture: 'demo',
    open: async (page) => {
      await fillExpiryDate(page, newName(), dateIn(-30));
      await press(page, 'Create key');
      await refused(page);
    },
  },
  {
    name: 'the form for a new key, a name refused',
    fixture: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/new`);
      await overlay(page).getByLabel('Service account name').fill('erp sync service');
      await press(page, 'Create key');
      await overlay(page).getByRole('link', { name: 'Rotate that key' }).waitFor();
    },
  },
  { name: 'the form for a new key under a strict policy', fixture: 'strict', open: at(`${KEYS}/new`) },
  {
    name: 'the form for a new key, an expiry beyond the policy refused',
    fixture: 'strict',
    open: async (page) => {
      await fillExpiryDate(page, newName(), dateIn(300));
      await press(page, 'Create key');
      await refused(page);
    },
  },
  { name: 'the key policy with keys beyond it', fixture: 'strict', open: at(KEY_POLICY) },
];
