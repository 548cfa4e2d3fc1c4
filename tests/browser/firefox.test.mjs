// The scripted core in Firefox: overlays, and what surrounds a key that is shown once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { launchFirefox } from './support/firefox.mjs';
import { LONGEST_TEST, PATIENCE } from './support/patience.mjs';
import { ADMIN, COMPANY, KEYS } from './support/steps.mjs';

let browser;
let keydesk;
let page;
const complaints = [];
before(async () => {
  [browser, keydesk] = await Promise.all([launchFirefox(), Keydesk.fresh()]);
  page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    // Firefox draws its own parts from `data:` addresses.
    if (/^(http|ws)/.test(request.url()) && !request.url().startsWith(`${keydesk.url}/`)) complaints.push(`asks another host: ${request.url()}`);
  });
});
after(async () => {
  await browser?.close();
  await keydesk?.stop();
});

const TITLE = `API Keys – Company Settings – ${COMPANY}`;
const ADD = `a[href="${KEYS}/new"]`;
const says = (path, title) => page.waitForFunction((...expected) => location.href.endsWith(expected[0]) && document.title === expected[1], {}, path, title);
const focused = (selector) => page.waitForSelector(`${selector}:focus`);
const none = () => page.waitForFunction(() => !document.querySelector('dialog'));
const fill = (name, words) => page.type(`[name="${name}"]`, words);

test('overlays open and close in Firefox, and a new key is asked about before it is lost', { timeout: LONGEST_TEST }, async () => {
  await page.goto(keydesk.said('Set-up link'));
  for (const [name, words] of [['company_name', COMPANY], ['name', ADMIN.name], ['email', ADMIN.email], ['password', ADMIN.password]]) {
    await fill(name, words);
  }
  await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
  await page.evaluate(() => (window.marked = true));

  const ways = [() => page.keyboard.press('Escape'), () => page.click('dialog a[href]'), () => page.mouse.click(20, 400), () => page.goBack()];
  for (const close of ways) {
    await page.focus(ADD);
    await page.keyboard.press('Enter');
    await focused('dialog:modal #name');
    await says(`${KEYS}/new`, `Add API Key – ${TITLE}`);
    await close();
    await none();
    await says(KEYS, TITLE);
    await focused(ADD);
  }
  await page.goForward();
  await focused('dialog:modal #name');
  assert.ok(await page.evaluate(() => window.marked), 'it is another page');

  await fill('name', 'ERP Sync Service');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await focused('dialog:modal .copy');
  const key = await page.$eval('#new-key', (shown) => shown.textContent);
  assert.equal((await keydesk.whoami(key)).status, 200);
  for (let time = 0; time < 3; time += 1) await page.keyboard.press('Escape');
  await page.mouse.click(20, 400);
  assert.ok(await page.$('dialog:modal #new-key'));
  await Promise.all([page.waitForNavigation(), page.click('#saved')]);
  assert.equal(await page.$('#new-key'), null);

  await page.goto(`${keydesk.url}${KEYS}?audit=open`);
  await focused('dialog:modal h2');
  await page.keyboard.press('Escape');
  await none();
  await says(KEYS, TITLE);
  assert.deepEqual(complaints, []);
});
