// Runs Lighthouse on the list, as a phone and as a desktop. It is slow, so that only `make audits` runs it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import lighthouse, { desktopConfig } from 'lighthouse';
import puppeteer from 'puppeteer-core';
import { Keydesk } from './support/keydesk.mjs';
import { KEYS } from './support/steps.mjs';
import { program } from './support/client.mjs';

const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
const FORM_FACTORS = { phone: undefined, desktop: desktopConfig };

const ATTEMPTS = 5;

let browser;
let keydesk;
let page;
before(async () => {
  [browser, keydesk] = await Promise.all([puppeteer.launch({ executablePath: program, args: ['--no-sandbox'] }), Keydesk.demo()]);
  page = await browser.newPage();
  await page.goto(`${keydesk.url}/sign-in`);
  await page.type('[name="email"]', keydesk.output('Email'));
  await page.type('[name="password"]', keydesk.output('Password'));
  await Promise.all([page.waitForNavigation(), page.click('button[type="submit"]')]);
});
after(async () => {
  await browser?.close();
  await keydesk?.stop();
});

/** The categories below the highest score, with the failed audits. */
async function audit(config) {
  const { lhr } = await lighthouse(`${keydesk.url}${KEYS}`, { onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: 'error' }, config, page);
  assert.equal(new URL(lhr.finalDisplayedUrl).pathname, KEYS);
  const failed = Object.values(lhr.audits).filter(({ score }) => score !== null && score < 1);
  const reasons = failed.map(({ id, displayValue }) => [id, displayValue].filter(Boolean).join(' ')).join(', ');
  return Object.values(lhr.categories).filter(({ score }) => score < 1).map(({ id, score }) => `${id} ${Math.round(score * 100)} (${reasons})`);
}

for (const [name, config] of Object.entries(FORM_FACTORS)) {
  test(`Lighthouse scores the list on a ${name} with 100`, { timeout: 400_000 }, async () => {
    // Lighthouse measures the machine, too: other load can only lower the score, so that one good attempt is enough.
    let problems = await audit(config);
    for (let time = 1; time < ATTEMPTS && problems.length > 0; time += 1) problems = await audit(config);
    assert.deepEqual(problems, []);
  });
}
