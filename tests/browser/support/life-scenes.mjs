// A key's page, what is done to it there, several keys at once, expiry, the policy with keys beyond it.

import { KEYS, KEY_POLICY, addKey, dateIn, overlay, rotateKey, wishForDate } from './steps.mjs';
import { at, follow } from './ways.mjs';

let made = 0;
const newName = () => `Freight invoices ${(made += 1)}`;
const LONG_NAME = 'Wolfeschlegelsteinhausenbergerdorffschetransportversicherungsamt';
const UNKNOWN = 'goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g';

const said = (page) => page.getByRole('status').waitFor();
const refused = (page) => overlay(page).locator(':is(.field-error, [role="alert"])').first().waitFor();
const press = (page, button) => page.getByRole('button', { name: button, exact: true }).click();
const openPage = (page, { id }) => page.goto(`${KEYS}/${id}`);
/** From a row that is already in the sample company. */
const seen = (tab, status) => async (page) => {
  await page.goto(`${KEYS}?tab=${tab}`);
  await follow(page, page.locator(`tr[data-status="${status}"] th a`).first());
};
/** From the page of a new key to one of its forms. */
const form = (link) => async (page) => {
  await openPage(page, await addKey(page, newName()));
  await page.getByRole('link', { name: link, exact: true }).click();
  await overlay(page).waitFor();
};
const rotated = async (page) => {
  const old = await addKey(page, newName());
  return { old, successor: await rotateKey(page, old) };
};
const select = async (page, count) => {
  await page.goto(KEYS);
  const boxes = page.locator('tr input[name="key"]');
  for (let index = 0; index < count; index += 1) await boxes.nth(index).check();
  await press(page, 'Revoke selected');
  await overlay(page).waitFor();
};

/** From the row of the sample company that has these words. */
const inUse = (words) => async (page) => {
  await page.goto(KEYS);
  await page.locator('tr[data-key-id]').filter({ hasText: words }).first().locator('th a').click();
  await page.getByRole('region', { name: 'Usage' }).waitFor();
};

export const lifeScenes = [
  { name: 'the list in the order of last use', where: 'demo', open: at(`${KEYS}?sort=last-used`) },
  { name: 'the page of a key that is in use', where: 'demo', open: inUse('ERP Sync Service') },
  {
    name: 'the page of a key that many systems use, its figures open',
    where: 'demo',
    open: async (page) => {
      await inUse('Reporting Dashboard')(page);
      await page.getByText('Figures by day').click();
    },
  },
  { name: 'the page of an old key that is still in use', where: 'demo', open: inUse(/Warehouse Label Printer[^]*Ends in/) },
  {
    name: 'the confirmation of the revocation of a key that is in use',
    where: 'demo',
    open: async (page) => {
      await page.goto(KEYS);
      await page.getByRole('link', { name: 'Revoke ERP Sync Service', exact: true }).click();
      await overlay(page).getByText('This key is in use.').waitFor();
    },
  },
  { name: 'the page of a key', where: 'demo', open: async (page) => openPage(page, await addKey(page, newName())) },
  {
    name: 'the page of a key with a long name',
    where: 'strict',
    open: async (page) => openPage(page, await addKey(page, `${LONG_NAME.slice(0, -2)}${(made += 1) + 10}`)),
  },
  {
    name: 'the page of a key that is being replaced',
    where: 'demo',
    open: async (page) => openPage(page, (await rotated(page)).old),
  },
  {
    name: 'the page of a key that is being replaced, for an auditor',
    where: 'auditor',
    open: async (page) => {
      await page.goto(KEYS);
      await follow(page, page.locator('tr[data-key-id]').filter({ hasText: 'Ends in' }).first().getByRole('rowheader').getByRole('link'));
    },
  },
  {
    name: 'the page of a key that replaces another',
    where: 'demo',
    open: async (page) => openPage(page, (await rotated(page)).successor),
  },
  {
    name: 'the page of a key after its time was extended',
    where: 'demo',
    open: async (page) => {
      await openPage(page, (await rotated(page)).old);
      await press(page, 'Extend by 7 days');
      await said(page);
    },
  },
  {
    name: 'the page of a key after it was ended',
    where: 'demo',
    open: async (page) => {
      await openPage(page, (await rotated(page)).old);
      await press(page, 'End now');
      await said(page);
    },
  },
  { name: 'the page of a revoked key', where: 'demo', open: seen('revoked', 'revoked') },
  { name: 'the page of an expired key', where: 'demo', open: seen('revoked', 'expired') },
  {
    name: 'the page of a key after it was renamed',
    where: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Service account name').fill(newName());
      await press(page, 'Save changes');
      await said(page);
    },
  },
  {
    name: 'the page of a key after it was handed over',
    where: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Owner').selectOption('Priya Raman');
      await press(page, 'Save changes');
      await said(page);
    },
  },
  { name: 'the form for a name and an owner', where: 'demo', open: form('Edit') },
  {
    name: 'the form for a name and an owner, refused',
    where: 'demo',
    open: async (page) => {
      await form('Edit')(page);
      await overlay(page).getByLabel('Service account name').fill('ERP Sync Service');
      await press(page, 'Save changes');
      await refused(page);
    },
  },
  { name: 'the form for a rotation', where: 'demo', open: form('Rotate') },
  {
    name: 'the form for a rotation, a date refused',
    where: 'demo',
    open: async (page) => {
      await form('Rotate')(page);
      await overlay(page).getByLabel('Expires', { exact: true }).selectOption('On a date');
      await press(page, 'Rotate key');
      await refused(page);
    },
  },
  {
    name: 'the form for a rotation, refused',
    where: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/${(await rotated(page)).old.id}/rotate`);
      await refused(page);
    },
  },
  {
    name: 'the form for the rotation of an expired key',
    where: 'demo',
    open: async (page) => {
      await seen('revoked', 'expired')(page);
      await page.getByRole('link', { name: 'Rotate', exact: true }).click();
      await overlay(page).waitFor();
    },
  },
  { name: 'the new key of a rotation', where: 'demo', open: rotated },
  {
    name: 'a key that has been revoked and cannot be edited',
    where: 'demo',
    open: async (page) => {
      await seen('revoked', 'revoked')(page);
      await page.goto(`${page.url()}/edit`);
    },
  },
  {
    name: 'the list with keys that end soon',
    where: 'demo',
    open: async (page) => {
      await wishForDate(page, newName(), dateIn(9));
      await press(page, 'Create key');
      await overlay(page).locator('#new-key').waitFor();
      await rotated(page);
      await page.goto(KEYS);
    },
  },
  {
    name: 'the list after a key was revoked together with others',
    where: 'demo',
    open: async (page) => {
      for (let key = 1; key <= 3; key += 1) await addKey(page, newName());
      await select(page, 3);
      await press(page, 'Revoke 3 keys');
      await said(page);
    },
  },
  { name: 'the confirmation of several revocations', where: 'demo', open: (page) => select(page, 6) },
  { name: 'the confirmation of several revocations, none selected', where: 'demo', open: (page) => select(page, 0) },
  {
    name: 'the confirmation of several revocations, refused',
    where: 'demo',
    open: async (page) => {
      await select(page, 3);
      await overlay(page).getByLabel('Comment (optional)').fill('Replaced. '.repeat(60));
      await press(page, 'Revoke 3 keys');
      await refused(page);
    },
  },
  { name: 'a search for a whole key', where: 'demo', open: at(`${KEYS}?q=${UNKNOWN}`) },
  {
    name: 'a whole key that is not known',
    where: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}?q=${UNKNOWN}`);
      await page.getByLabel('Paste the key once more').fill(UNKNOWN);
      await press(page, 'Find the key you pasted');
      await refused(page);
    },
  },
  {
    name: 'the form for a new key, a date refused',
    where: 'demo',
    open: async (page) => {
      await wishForDate(page, newName(), dateIn(-30));
      await press(page, 'Create key');
      await refused(page);
    },
  },
  {
    name: 'the form for a new key, a name refused',
    where: 'demo',
    open: async (page) => {
      await page.goto(`${KEYS}/new`);
      await overlay(page).getByLabel('Service account name').fill('erp sync service');
      await press(page, 'Create key');
      await overlay(page).getByRole('link', { name: 'Rotate it' }).waitFor();
    },
  },
  { name: 'the form for a new key under a strict policy', where: 'strict', open: at(`${KEYS}/new`) },
  {
    name: 'the form for a new key, a wish beyond the policy refused',
    where: 'strict',
    open: async (page) => {
      await wishForDate(page, newName(), dateIn(300));
      await press(page, 'Create key');
      await refused(page);
    },
  },
  { name: 'the key policy with keys beyond it', where: 'strict', open: at(KEY_POLICY) },
];
