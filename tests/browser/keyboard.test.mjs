// Keyboard access: the initial focus, the order of Tab, Esc, and the focus after closing. Without JavaScript an overlay is a
// page of its own over an inert page, and its link leads back.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { AUDIT_TRAIL, COLLEAGUE, EVIDENCE, KEYS, USERS, addKey, addUser, overlay, preview, row, setUp, userRow } from './support/steps.mjs';
import { hasScript, ready } from './support/client.mjs';

const ERP = 'ERP Sync Service';
const link = (page, name) => page.getByRole('link', { name, exact: true });

/** The focused element: its index among all elements, and its name. */
const stop = (page) =>
  page.evaluate(() => {
    const { activeElement: at } = document;
    const words = at.id || at.getAttribute('aria-label') || at.textContent.replaceAll(/\s+/g, ' ').trim() || at.value;
    return { place: [...document.querySelectorAll('body *')].indexOf(at), words };
  });
const focus = async (page) => (await stop(page)).words;
/** The tab stops from the current focus until the focus returns or leaves the page. A field with several parts is one stop. */
const tabStops = async (page) => {
  const stops = [await stop(page)];
  for (let isNew = true; isNew; ) {
    await page.keyboard.press('Tab');
    const at = await stop(page);
    const before = stops.findIndex(({ place }) => place === at.place);
    isNew = at.place >= 0 && (before < 0 || before === stops.length - 1);
    if (isNew && before < 0) stops.push(at);
  }
  return stops.map(({ words }) => words);
};
const opened = async (page) => {
  await ready(page);
  await overlay(page).locator(':focus').waitFor();
};

/** The overlays: their address and link, the tab stops from the initial focus, and the stops before it. */
const overlays = ({ created, person }) => [
  { at: KEYS, by: (page) => link(page, 'Add API Key'), stops: ['name', 'purpose', 'expires', 'Cancel', 'Create key'], leave: 'Cancel' },
  { at: KEYS, by: (page) => row(page, created).getByRole('link', { name: 'Revoke' }), before: ['comment', 'reason'], stops: ['Cancel', 'Revoke key'], leave: 'Cancel' },
  {
    at: KEYS,
    by: (page) => link(page, 'Audit trail'),
    stops: ['trail-title', 'Open as a page', 'Close audit trail', 'Audit events', `History of ${ERP}, ${preview(created.key)}`],
    leave: 'Close audit trail',
  },
  { at: `${KEYS}/${created.id}`, by: (page) => link(page, 'Edit'), stops: ['name', 'owner', 'purpose', 'department', 'contact', 'expires', 'Cancel', 'Save changes'], leave: 'Cancel' },
  { at: `${KEYS}/${created.id}`, by: (page) => link(page, 'Rotate'), stops: ['24h', 'expires', 'Cancel', 'Rotate key'], leave: 'Cancel' },
  { at: USERS, by: (page) => link(page, 'Add user'), stops: ['name', 'email', 'auditor', 'Cancel', 'Add user'], leave: 'Cancel' },
  { at: USERS, by: (page) => userRow(page, person).getByRole('link', { name: 'Change role' }), before: ['admin'], stops: ['Cancel', 'Change role'], leave: 'Cancel' },
  { at: USERS, by: (page) => userRow(page, person).getByRole('link', { name: 'Delete' }), stops: ['Cancel', 'Delete user'], leave: 'Cancel' },
  {
    at: `${AUDIT_TRAIL}?action=api_key.created`,
    by: (page) => page.getByRole('rowheader').getByRole('link').first(),
    stops: ['dialog-title', 'Close event', 'Event', preview(created.key)],
    leave: 'Close event',
  },
];

e2e('every overlay can be opened, used and closed with the keyboard', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const created = await addKey(page, ERP);
  for (const { at, by, before = [], stops, leave } of overlays({ created, person: COLLEAGUE })) {
    const opener = by(page);
    await page.goto(at);
    const href = await opener.getAttribute('href');
    for (const key of hasScript(page) ? ['Escape', 'Enter'] : ['Enter']) {
      await page.goto(at);
      await opener.focus();
      await page.keyboard.press('Enter');
      await opened(page);
      await page.waitForURL(`**${href}`);
      // Only scripts can copy.
      const [own, found] = [stops.length, (await tabStops(page)).filter((words) => !words.startsWith('Copy '))];
      assert.deepEqual(found.slice(0, own), stops, href);
      if (found.length > own) assert.deepEqual(found.slice(own), before.toReversed(), href);
      await page.reload();
      await opened(page);
      for (const words of before) {
        await page.keyboard.press('Shift+Tab');
        assert.equal(await focus(page), words, href);
      }

      if (key === 'Enter') await overlay(page).getByRole('link', { name: leave, exact: true }).focus();
      await page.keyboard.press(key);
      await overlay(page).waitFor({ state: 'detached' });
      await page.waitForURL(`**${at}`);
      if (hasScript(page)) await page.locator(`a[aria-haspopup][href="${href}"]:focus`).waitFor();
    }
  }
});

e2e('several keys can be selected and revoked with the keyboard', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const keys = [await addKey(page, ERP), await addKey(page, 'Reporting Dashboard')];
  await page.goto(KEYS);
  for (const { name } of keys) {
    await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).focus();
    await page.keyboard.press('Space');
  }
  await page.getByRole('button', { name: 'Revoke selected' }).focus();
  await page.keyboard.press('Enter');
  await overlay(page).getByRole('heading', { name: 'Revoke 2 keys?' }).waitFor();
  await opened(page);
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'Revoke 2 keys');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('2 keys were revoked.').waitFor();
  await page.locator('.banner:focus').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'Dismiss message');
  assert.deepEqual(await Promise.all(keys.map(async ({ key }) => (await keydesk.whoami(key)).status)), [401, 401]);
});

const SNIPPETS = ['Try it from a terminal', 'Environment variable', 'GitHub Actions', 'Kubernetes secret', 'A gateway that checks keys (nginx)'];
const SCRIPTED_STOPS = ['Copy key', SNIPPETS[0], 'Copy commands', ...SNIPPETS.slice(1), 'saved'];
const PLAIN_STOPS = ['dialog-title', ...SNIPPETS, 'Check for the first request', 'saved'];

e2e('a new key can be read, tested and closed with the keyboard', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await page.getByRole('link', { name: 'Add API Key' }).first().focus();
  await page.keyboard.press('Enter');
  await overlay(page).locator('#name:focus').waitFor();
  await page.keyboard.type(ERP);
  await page.keyboard.press('Enter');
  await overlay(page).locator('#new-key').waitFor();
  await opened(page);
  if (withJavaScript) await overlay(page).locator('button:focus').waitFor();
  assert.deepEqual(await tabStops(page), withJavaScript ? SCRIPTED_STOPS : PLAIN_STOPS);
  await page.keyboard.press('Escape');
  assert.equal(await overlay(page).locator('#new-key').count(), 1);
  await overlay(page).getByText('Environment variable').focus();
  await page.keyboard.press('Enter');
  await overlay(page).getByText('API_KEY="paste the key here"', { exact: true }).waitFor();
  await overlay(page).locator('#saved').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**#key-*');
  assert.equal(await page.locator('#new-key').count(), 0);
});

e2e('the audit trail can be filtered, paged and exported with the keyboard', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, ERP);
  // Each export is an event.
  for (let time = 0; time < 55; time += 1) await page.request.get(`${AUDIT_TRAIL}/export.csv?key=${created.id}`);

  await page.goto(`${AUDIT_TRAIL}?key=${created.id}`);
  await page.keyboard.press('Tab');
  assert.equal(await focus(page), 'Skip to content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  const creation = page.getByRole('rowheader').getByRole('link');
  const sentence = (await creation.textContent()).replaceAll(/\s+/g, ' ').trim();
  const all = await tabStops(page);
  const expected = [
    'Export CSV',
    'Export JSONL',
    'Export with proof',
    'from',
    'to',
    'user',
    'Action: All actions',
    'Apply filters',
    'Today',
    '7 days',
    '30 days',
    'This quarter',
    `Open key ${preview(created.key)}`,
    'Show all keys',
    'Clear filters',
    sentence,
    `Filter by key ${preview(created.key)}`,
  ];
  assert.deepEqual(all.slice(0, expected.length), expected);
  assert.ok(all.length === expected.length || all[expected.length] === 'Skip to content', `${all}`);

  await creation.focus();
  await page.keyboard.press('Enter');
  await opened(page);
  if (withJavaScript) {
    await page.keyboard.press('Escape');
  } else {
    await overlay(page).getByRole('link', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
  }
  await overlay(page).waitFor({ state: 'detached' });
  await page.waitForURL((url) => url.pathname === AUDIT_TRAIL);
  if (withJavaScript) await page.locator('tbody th a:focus').waitFor();

  // Clears the filter and sets another one.
  await page.getByRole('link', { name: 'Clear filters', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${AUDIT_TRAIL}`);
  await page.locator('.several summary').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.keyboard.press('Enter');
  await page.waitForURL('**action=api_key.created*');
  await ready(page);
  assert.deepEqual(await page.locator('tr[data-event-id]').evaluateAll((all) => all.map((each) => each.dataset.action)), ['api_key.created']);

  // The drawer of an event on the second page is over that page.
  await page.goto(AUDIT_TRAIL);
  assert.equal(await page.locator('tr[data-event-id]').count(), 50);
  await page.getByRole('link', { name: 'Next', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**?cursor=*');
  const second = page.url();
  await page.getByRole('rowheader').getByRole('link').last().focus();
  await page.keyboard.press('Enter');
  await opened(page);
  await overlay(page).getByRole('link', { name: 'Close' }).focus();
  await page.keyboard.press('Enter');
  await overlay(page).waitFor({ state: 'detached' });
  await page.waitForURL(second);
  await page.getByRole('link', { name: 'Previous', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.href !== second);
  await ready(page);
  assert.equal(await page.locator('tr[data-event-id]').count(), 50);

  await page.goto(EVIDENCE);
  await page.getByLabel('Checkpoint size').focus();
  await page.keyboard.type('2');
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  assert.equal(new URL(download.url()).search, '?since=2');
});
