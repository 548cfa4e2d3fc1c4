// The scripts in Firefox: overlays, and the page of a new key.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { launchFirefox } from './support/firefox.mjs';
import { TEST_TIMEOUT, ACTION_TIMEOUT } from './support/timeouts.mjs';
import { ADMIN, COMPANY, KEYS } from './support/steps.mjs';

let browser;
let keydesk;
let page;
const problems = [];
before(async () => {
  [browser, keydesk] = await Promise.all([launchFirefox(), Keydesk.fresh()]);
  page = await browser.newPage();
  page.setDefaultTimeout(ACTION_TIMEOUT);
  page.on('console', (message) => problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    // Firefox loads its own parts from `data:` addresses.
    if (/^(http|ws)/.test(request.url()) && !request.url().startsWith(`${keydesk.url}/`)) problems.push(`request to another host: ${request.url()}`);
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

test('overlays open and close in Firefox, and a new key stays until it is saved', { timeout: TEST_TIMEOUT }, async () => {
  await page.goto(keydesk.output('Set-up link'));
  for (const [name, words] of [['company_name', COMPANY], ['name', ADMIN.name], ['email', ADMIN.email], ['password', ADMIN.password]]) {
    await fill(name, words);
  }
  await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
  await page.evaluate(() => (window.marked = true));

  const closings = [() => page.keyboard.press('Escape'), () => page.click('dialog a[href]'), () => page.mouse.click(20, 400), () => page.goBack()];
  for (const close of closings) {
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
  assert.ok(await page.evaluate(() => window.marked), 'the page was reloaded');

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
  assert.deepEqual(problems, []);
});
