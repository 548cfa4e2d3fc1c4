// Lighthouse on the list, as a phone and as a desktop sees it. It takes its time, so that only `make judges` asks it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import lighthouse, { desktopConfig } from 'lighthouse';
import puppeteer from 'puppeteer-core';
import { Keydesk } from './support/keydesk.mjs';
import { KEYS } from './support/steps.mjs';
import { program } from './support/visitor.mjs';

const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
const FORM_FACTORS = { phone: undefined, desktop: desktopConfig };

const LOOKS = 5;

let browser;
let keydesk;
let page;
before(async () => {
  [browser, keydesk] = await Promise.all([puppeteer.launch({ executablePath: program, args: ['--no-sandbox'] }), Keydesk.demo()]);
  page = await browser.newPage();
  await page.goto(`${keydesk.url}/sign-in`);
  await page.type('[name="email"]', keydesk.said('Email'));
  await page.type('[name="password"]', keydesk.said('Password'));
  await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
});
after(async () => {
  await browser?.close();
  await keydesk?.stop();
});

/** What has not the highest score, and why. */
async function look(config) {
  const { lhr } = await lighthouse(`${keydesk.url}${KEYS}`, { onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: 'error' }, config, page);
  assert.equal(new URL(lhr.finalDisplayedUrl).pathname, KEYS);
  const missed = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 1);
  const why = missed.map(({ id, displayValue }) => [id, displayValue].filter(Boolean).join(' ')).join(', ');
  return Object.values(lhr.categories).filter(({ score }) => score < 1).map(({ id, score }) => `${id} ${Math.round(score * 100)} (${why})`);
}

for (const [name, config] of Object.entries(FORM_FACTORS)) {
  test(`Lighthouse gives the list on a ${name} 100 of 100`, { timeout: 400_000 }, async () => {
    // It measures the processor along with the page: what else runs may spoil a look, but makes none better.
    let missed = await look(config);
    for (let time = 1; time < LOOKS && missed.length > 0; time += 1) missed = await look(config);
    assert.deepEqual(missed, []);
  });
}
