// The lifecycle of a key: create, rename, hand over, find, rotate, revoke. With JavaScript and without.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import {
  ADMIN,
  COLLEAGUE,
  KEYS,
  KEY_POLICY,
  addKey,
  addUser,
  confirmation,
  dateIn,
  events,
  open,
  overlay,
  preview,
  revokeKey,
  rotateKey,
  row,
  setUp,
  fillExpiryDate,
} from './support/steps.mjs';
import { ready } from './support/client.mjs';

const ERP = 'ERP Sync Service';
const REPORTS = 'Reporting Dashboard';
const PRINTER = 'Warehouse Label Printer';
const UNKNOWN = 'goa_0123456789ABCDEFGHIJKLMNOPQRSTUV4Vax7g';

const statuses = (keydesk, keys) => Promise.all(keys.map(async ({ key }) => (await keydesk.whoami(key)).status));
const banner = async (page, words) => {
  await page.getByRole('status').getByText(words).waitFor();
  await ready(page);
};
const main = (page) => page.getByRole('main');
const keyPath = ({ id }) => `${KEYS}/${id}`;
const arrivesAt = (page, key) => page.waitForURL(`**${keyPath(key)}`);
const search = async (page, text) => {
  await page.goto(KEYS);
  await page.getByRole('searchbox', { name: 'Search keys' }).fill(text);
  await page.getByRole('searchbox', { name: 'Search keys' }).press('Enter');
};
const inWords = (date) => {
  const month = new Date(`${date}T00:00Z`).toLocaleDateString('en-US', { month: 'short', timeZone: 'UTC' });
  return `${Number(date.slice(8))} ${month} ${date.slice(0, 4)}`;
};
/** Dismisses the dialogs of the browser. Returns their types. */
const dismissDialogs = (page) => {
  const dialogs = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    return dialog.dismiss();
  });
  return dialogs;
};

e2e('an admin rotates a key, and both work until the old one ends', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const old = await addKey(page, ERP);
  const replacement = await rotateKey(page, old);
  await overlay(page).getByText(`The old key ${preview(old.key)} keeps working until`).waitFor();
  const both = [old, replacement];
  assert.notEqual(replacement.id, old.id);
  assert.deepEqual(await statuses(keydesk, both), [200, 200]);
  const accounts = await Promise.all(both.map(async ({ key }) => (await keydesk.whoami(key)).body.service_account.id));
  assert.equal(accounts[0], accounts[1]);

  await page.getByRole('link', { name: 'I’ve saved this key' }).click();
  await page.waitForURL(`**${keyPath(replacement)}?done=*`);
  await banner(page, `This is the new key of ${ERP}. The old key ${preview(old.key)} keeps working until`);
  await page.goto(KEYS);
  for (const key of both) assert.equal(await row(page, key).getByRole('rowheader').textContent(), ERP);
  await row(page, old).getByText(/^Ends in 2[34] hours$/).waitFor();
  await row(page, replacement).getByText('Never', { exact: true }).waitFor();

  await row(page, old).getByRole('link', { name: ERP, exact: true }).click();
  await arrivesAt(page, old);
  assert.equal(await main(page).getByRole('link', { name: 'Rotate', exact: true }).count(), 0);
  const section = page.getByRole('region', { name: 'Replacement' });
  await section.getByText(/^Being replaced by/).waitFor();
  await section.getByRole('link', { name: preview(replacement.key) }).click();
  await arrivesAt(page, replacement);
  await section.getByText(/^Replaces .*which works until/).waitFor();
  await section.getByRole('link', { name: preview(old.key) }).click();
  await arrivesAt(page, old);

  await page.getByRole('button', { name: 'Extend by 7 days' }).click();
  await banner(page, 'The old key will keep working until');
  await section.getByText(/Ends in [78] days/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Extend by 7 days' }).count(), 0);
  assert.deepEqual(await statuses(keydesk, both), [200, 200]);

  await page.getByRole('link', { name: 'End now' }).click();
  await overlay(page).getByText('Requests that use the old key will be rejected immediately').waitFor();
  await overlay(page).getByRole('button', { name: 'End now' }).click();
  await banner(page, 'The old key no longer works.');
  assert.deepEqual(await statuses(keydesk, both), [401, 200]);
  assert.equal(await page.getByRole('link', { name: 'End now' }).count(), 0);
  await main(page).getByText('Revoked', { exact: true }).waitFor();
  assert.match(await page.getByRole('region', { name: 'Revocation' }).textContent(), new RegExp(`${ADMIN.name}[^]*Replaced by another key`));

  await page.goto(KEYS);
  assert.deepEqual([await row(page, old).count(), await row(page, replacement).count()], [0, 1]);
  await page.goto(`${KEYS}?tab=revoked`);
  assert.equal(await row(page, old).getAttribute('data-status'), 'revoked');
  assert.match(await row(page, old).textContent(), new RegExp(`${ADMIN.name}[^]*Replaced by another key`));
});

e2e('an admin adds a key that expires on a date', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await fillExpiryDate(page, ERP, dateIn(-400));
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  await overlay(page).getByText('Choose a date in the future').waitFor();
  assert.equal(await overlay(page).getByLabel('Service account name').inputValue(), ERP);

  const date = dateIn(60);
  await overlay(page).getByLabel('Date', { exact: true }).fill(date);
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  const shown = page.locator('#new-key');
  const created = { id: await shown.getAttribute('data-key-id'), key: await shown.textContent() };
  const { body } = await keydesk.whoami(created.key);
  // The whole day, in Oslo if the zone of the browser is known, and by UTC otherwise.
  const ends = new Date(body.expires_at).toLocaleString('sv', { timeZone: withJavaScript ? 'Europe/Oslo' : 'UTC' });
  assert.equal(ends, `${date} 23:59:59`);

  await page.goto(KEYS);
  await row(page, created).getByRole('cell', { name: inWords(date) }).waitFor();
  await row(page, created).getByRole('link', { name: ERP, exact: true }).click();
  const facts = main(page).locator('dl').first();
  assert.match(await facts.textContent(), new RegExp(`Expires\\s*${inWords(date)}`));
});

e2e('an admin renames a key and hands it to a colleague', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  await addUser(keydesk, COLLEAGUE);
  const created = await addKey(page, ERP);
  await addKey(page, REPORTS);
  const edit = async () => {
    await page.goto(keyPath(created));
    await page.getByRole('link', { name: 'Edit', exact: true }).click();
  };
  const save = () => overlay(page).getByRole('button', { name: 'Save changes' }).click();

  await edit();
  await overlay(page).getByLabel('Service account name').fill(REPORTS.toUpperCase());
  await save();
  await overlay(page).getByText(`A service account named “${REPORTS}” already exists. Choose another name.`).waitFor();
  assert.equal(await overlay(page).getByLabel('Service account name').inputValue(), REPORTS.toUpperCase());
  await overlay(page).getByLabel('Service account name').fill('ERP Sync (Rotterdam)');
  await save();
  await banner(page, `Renamed ${ERP} to ERP Sync (Rotterdam).`);
  await page.getByRole('heading', { level: 1, name: 'ERP Sync (Rotterdam)' }).waitFor();

  await edit();
  await overlay(page).getByLabel('Owner').selectOption(COLLEAGUE.name);
  await save();
  await banner(page, `${COLLEAGUE.name} now owns ERP Sync (Rotterdam).`);
  const facts = (await main(page).locator('dl').first().textContent()).replaceAll(/\s+/g, ' ');
  assert.match(facts, new RegExp(`Owner.*${COLLEAGUE.name}`));
  assert.equal((await keydesk.whoami(created.key)).body.service_account.name, 'ERP Sync (Rotterdam)');
  for (const action of ['api_key.created', 'api_key.renamed', 'api_key.handed_over']) {
    assert.equal(await main(page).locator(events(page, action, created)).count(), 1, action);
  }

  // The old name can be used again.
  const another = await addKey(page, ERP);
  await page.goto(KEYS);
  assert.equal(await row(page, created).getByRole('rowheader').textContent(), 'ERP Sync (Rotterdam)');
  assert.equal(await row(page, another).getByRole('rowheader').textContent(), ERP);
  assert.ok((await row(page, created).textContent()).includes(ADMIN.name));
});

e2e('an admin selects several keys and revokes them', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const remaining = await addKey(page, ERP);
  const revoked = [await addKey(page, REPORTS), await addKey(page, PRINTER)];
  const revokeSelected = () => page.getByRole('button', { name: 'Revoke selected' }).click();

  await page.goto(KEYS);
  if (withJavaScript) {
    // The bar appears with the first selected key.
    assert.equal(await page.getByRole('button', { name: 'Revoke selected' }).count(), 0);
    await page.getByRole('checkbox', { name: 'Select all keys on this page' }).check();
    await page.getByText('3 selected').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    assert.equal(await page.locator('tr :checked').count(), 0);
  } else {
    await revokeSelected();
    await overlay(page).getByText('No keys selected. Select keys in the list first.').waitFor();
    await overlay(page).getByRole('link', { name: 'Close' }).click();
  }

  for (const { name } of revoked) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check();
  await revokeSelected();
  const dialog = confirmation(page, 'Revoke 2 keys?');
  await dialog.waitFor();
  await ready(page);
  const named = await dialog.locator('li[data-key-id]').evaluateAll((all) => all.map((key) => key.dataset.keyId));
  assert.deepEqual(named.sort(), revoked.map(({ id }) => id).sort());
  for (const { name, key } of revoked) await dialog.getByText(`${name} ${preview(key)}`).waitFor();
  await dialog.getByLabel('Reason').selectOption('No longer used');
  await dialog.getByRole('button', { name: 'Revoke 2 keys' }).click();
  await banner(page, '2 keys were revoked. Requests that use them are now rejected.');
  assert.deepEqual(await statuses(keydesk, [remaining, ...revoked]), [200, 401, 401]);

  await page.goto(`${KEYS}?tab=revoked`);
  for (const key of revoked) await row(page, key).getByText('No longer used').waitFor();
  await open(page, `${KEYS}?audit=open`);
  for (const key of revoked) assert.equal(await overlay(page).locator(events(page, 'api_key.revoked', key)).count(), 1);
});

e2e('a pasted key leads to its page', async (keydesk, newClient, withJavaScript) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const active = await addKey(page, ERP);
  const revoked = await addKey(page, REPORTS);
  await revokeKey(page, revoked, 'compromised', '');
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  const find = async (key) => {
    await search(page, `Authorization: Bearer ${key} `);
    if (withJavaScript) return;
    // Without scripts the browser puts the key into the address. The page asks for it again and sends it in the body.
    await page.getByRole('heading', { name: 'You pasted a complete key.' }).waitFor();
    await ready(page);
    assert.equal(new URL(page.url()).pathname, KEYS);
    assert.ok(!(await page.content()).includes(key));
    await page.getByLabel('Paste the key once more').fill(key);
    await page.getByRole('button', { name: 'Find the key you pasted' }).click();
  };

  for (const created of [active, revoked]) {
    await find(created.key);
    await arrivesAt(page, created);
    await page.getByRole('heading', { level: 1, name: created.name }).waitFor();
    await main(page).getByText(preview(created.key), { exact: true }).first().waitFor();
    assert.ok(!(await page.content()).includes(created.key));
  }
  await find(UNKNOWN);
  await overlay(page).getByText('No key of this company matches.').waitFor();
  await ready(page);
  assert.ok(!(await page.content()).includes(UNKNOWN));
  await overlay(page).getByLabel('Paste the key once more').fill(active.key);
  await overlay(page).getByRole('button', { name: 'Find the key you pasted' }).click();
  await arrivesAt(page, active);

  if (withJavaScript) {
    for (const { key } of [active, revoked, { key: UNKNOWN }]) {
      assert.deepEqual(requests.filter((url) => url.includes(key.slice(4))), []);
    }
  }
  // A part of a key is a normal search.
  await search(page, preview(active.key));
  await row(page, active).waitFor();
});

e2e('a policy limits the expiries on offer', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const endless = await addKey(page, ERP);
  const offered = () => overlay(page).getByLabel('Expires', { exact: true }).locator('option').evaluateAll((all) => all.map(({ value }) => value));
  await open(page, `${KEYS}/new`);
  assert.deepEqual(await offered(), ['none', '30d', '90d', '180d', '365d', 'date']);

  await page.goto(KEY_POLICY);
  await page.getByLabel('Default expiry').selectOption('30 days');
  await page.getByLabel('Maximum lifetime').selectOption('90 days');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await banner(page, 'Changes saved.');
  const beyond = page.getByRole('region', { name: 'Over the maximum lifetime' });
  await beyond.getByText('1 active key lives longer than the policy allows. Its expiry does not change.').waitFor();
  await beyond.getByRole('link', { name: ERP, exact: true }).waitFor();
  assert.deepEqual(await statuses(keydesk, [endless]), [200]);

  await fillExpiryDate(page, REPORTS, dateIn(120));
  assert.deepEqual(await offered(), ['30d', '90d', 'date']);
  await overlay(page).getByRole('button', { name: 'Create key' }).click();
  await overlay(page).getByText('Your company allows keys to live up to 90 days. Choose an earlier date.').waitFor();
  const created = await addKey(page, REPORTS);
  const days = (Date.parse((await keydesk.whoami(created.key)).body.expires_at) - Date.now()) / 86_400_000;
  assert.ok(Math.abs(days - 30) < 0.01, `${days} days`);

  const replacement = await rotateKey(page, endless, /^Stop it now/);
  assert.ok((await keydesk.whoami(replacement.key)).body.expires_at);
  await page.goto(KEY_POLICY);
  assert.equal(await beyond.count(), 0);
});

e2e(
  'a button copies the new key',
  async (keydesk, newClient) => {
    const { page } = await newClient({ permissions: ['clipboard-read', 'clipboard-write'] });
    await setUp(page, keydesk);
    const { key } = await addKey(page, ERP);
    const dialogs = dismissDialogs(page);

    const copy = page.getByRole('button', { name: /^(Copy|Copied) key$/ });
    await page.locator('dialog button:focus').getByText('Copy', { exact: true }).waitFor();
    assert.equal(await copy.textContent(), 'Copy key');
    // The label changes back after a while. The clock of the page is paused to observe it.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await copy.press('Enter');
    await copy.getByText('Copied', { exact: true }).waitFor();
    await overlay(page).getByRole('status').getByText('Copied to clipboard').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
    await page.clock.runFor(2_499);
    assert.equal(await copy.textContent(), 'Copied key');
    await page.clock.runFor(1);
    assert.equal(await copy.textContent(), 'Copy key');
    await page.clock.resume();

    await page.evaluate((away) => location.assign(away), `${KEYS}?tab=revoked`);
    await page.waitForURL('**?tab=revoked');
    assert.equal(await page.locator('#new-key').count(), 0);
    assert.deepEqual(dialogs, []);
  },
  { needsJavaScript: true },
);

e2e(
  'a key that cannot be copied is selected instead',
  async (keydesk, newClient) => {
    const { page } = await newClient({ permissions: [] });
    await setUp(page, keydesk);
    const { key } = await addKey(page, ERP);
    // Browsers reject with this error without permission for the clipboard.
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'));
    });
    await overlay(page).getByRole('button', { name: 'Copy key' }).click();
    await overlay(page).getByText('Press Ctrl+C or Command+C to copy').waitFor();
    assert.equal(await page.evaluate(() => getSelection().toString()), key);
  },
  { needsJavaScript: true },
);

e2e(
  'leaving before copying needs a confirmation',
  async (keydesk, newClient) => {
    const { page } = await newClient();
    await setUp(page, keydesk);
    const created = await addKey(page, ERP);
    const dialogs = dismissDialogs(page);

    // Browsers only ask after an interaction with the page.
    await overlay(page).getByRole('heading').click();
    await Promise.all([page.waitForEvent('dialog'), page.close({ runBeforeUnload: true })]);
    assert.deepEqual(dialogs, ['beforeunload']);
    assert.equal(await page.locator('#new-key').textContent(), created.key);

    await page.getByRole('link', { name: 'I’ve saved this key' }).click();
    await page.waitForURL(`**${KEYS}?tab=active&done=*#key-${created.id}`);
    await banner(page, `The key for ${ERP} is ready to use.`);
    // Back does not ask to submit the form again.
    await page.goBack();
    await overlay(page).getByLabel('Service account name').waitFor();
    assert.equal(await page.locator('#new-key').count(), 0);
    assert.equal(await page.locator('#new-key').count(), 0);
    assert.deepEqual(dialogs, ['beforeunload']);
  },
  { needsJavaScript: true },
);

e2e(
  'the time zone of the browser is stored in a cookie',
  async (keydesk, newClient) => {
    const client = await newClient();
    const { page } = client;
    await setUp(page, keydesk);
    const zoneCookie = async (client) => (await client.cookies()).find(({ name }) => name === 'tz');
    const { value, sameSite, path, expires } = await zoneCookie(client);
    assert.deepEqual([value, sameSite, path], ['Europe/Oslo', 'Lax', '/']);
    assert.ok(expires > Date.now() / 1000 + 300 * 86_400, `until ${expires}`);
    await addKey(page, ERP);
    await page.goto(KEYS);
    // One hour more in summer.
    await page.getByText(/^Times in Oslo time \(UTC\+0[12]:00\)$/).waitFor();

    const traveller = await newClient({ timezoneId: 'Asia/Tokyo' });
    await traveller.addCookies(await client.cookies());
    await traveller.page.goto(KEYS);
    await traveller.page.reload();
    await traveller.page.getByText('Times in Tokyo time (UTC+09:00)', { exact: true }).waitFor();
    assert.equal((await zoneCookie(traveller)).value, 'Asia/Tokyo');
  },
  { needsJavaScript: true },
);
