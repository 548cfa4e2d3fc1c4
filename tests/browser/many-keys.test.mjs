// An admin of a company with 5,003 keys finds, filters, selects and exports some of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, launch } from './support/client.mjs';
import { Keydesk } from './support/keydesk.mjs';
import { KEYS, signIn } from './support/steps.mjs';
import { TEST_TIMEOUT } from './support/timeouts.mjs';

/** The sample company has 11 active keys of its own; every key of the others is active or has ended. */
const ADDED = 5_003;

let browser;
let keydesk;
before(async () => {
  [browser, keydesk] = await Promise.all([launch(), Keydesk.demo(`--large=${ADDED}`)]);
});
after(() => Promise.all([browser.close(), keydesk.stop()]));

const names = (page) => page.locator('tr[data-key-id] th').allTextContents();

for (const javaScriptEnabled of [true, false]) {
  test(`5,003 keys are as easy to manage as 50, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, { timeout: TEST_TIMEOUT }, async () => {
    const client = await Client.open(browser, keydesk, { javaScriptEnabled });
    const { page } = client;
    await signIn(page, { email: keydesk.output('Email'), password: keydesk.output('Password') });

    // Both ends of the list are one click away, and the foot says where one is.
    const first = await names(page);
    assert.equal(first.length, 50);
    await page.getByText(/^1–50 of [\d,]+ active keys/).waitFor();
    await page.getByRole('link', { name: 'Last', exact: true }).click();
    await page.getByRole('link', { name: 'First', exact: true }).waitFor();
    const last = await names(page);
    assert.notDeepEqual(last, first);
    const total = Number((await page.locator('.tabs [aria-current] .count').textContent()).replace(/\D/g, ''));
    await page.getByText(new RegExp(`–${total.toLocaleString('en')} of`)).waitFor();
    await page.getByRole('link', { name: 'First', exact: true }).click();
    assert.deepEqual(await names(page), first);

    // A person's name finds their keys, and a filter narrows them.
    await page.getByLabel('Search keys').fill('priya');
    await page.getByLabel('Search keys').press('Enter');
    await page.getByText(/active keys match|active keys that match/).waitFor();
    await page.getByText('Filters', { exact: true }).click();
    await page.getByLabel('Last used').selectOption('Never');
    await page.getByRole('button', { name: 'Apply filters' }).click();
    await page.getByRole('link', { name: 'Remove Last used: Never' }).waitFor();
    const narrowed = new URL(page.url());
    assert.equal(narrowed.searchParams.get('used'), 'never');
    assert.equal(narrowed.searchParams.get('q'), 'priya');

    // What the filters keep can be taken away.
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()]);
    assert.match(download.suggestedFilename(), /^active-keys-brightwater-foods-.*-filtered\.csv$/);

    // The whole page is selected with one box, or each key with its own.
    await page.goto(KEYS);
    if (javaScriptEnabled) await page.getByRole('checkbox', { name: 'Select all keys on this page' }).check();
    else for (const box of await page.locator('tr [name="key"]').all()) await box.check();
    await page.getByRole('button', { name: 'Revoke selected' }).click();
    await page.getByRole('heading', { name: 'Revoke 50 keys?' }).waitFor();
    await client.close();
  });
}
