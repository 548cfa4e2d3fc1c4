// What the first sight of the list costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { LONGEST_TEST } from './support/patience.mjs';
import { signIn } from './support/steps.mjs';
import { Visitor, launch } from './support/visitor.mjs';

const LARGEST = 40 * 1_024;

test('the first load of the list weighs at most 40 KiB and nothing in it moves', { timeout: LONGEST_TEST }, async () => {
  const [browser, keydesk] = await Promise.all([launch(), Keydesk.demo()]);
  try {
    const door = await Visitor.arrive(browser, keydesk);
    await signIn(door.page, { email: keydesk.said('Email'), password: keydesk.said('Password') });
    const visitor = await Visitor.arrive(browser, keydesk);
    await visitor.carry(await door.cookies());
    const { page } = visitor;
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value }) => value))).observe({ type: 'layout-shift', buffered: true });
    });
    const parts = [];
    page.on('response', (response) => parts.push(response));
    await page.goto('/', { waitUntil: 'networkidle' });
    // HTML, stylesheet, module; an icon is drawn by the browser, not in the page.
    const weighed = parts.filter((each) => ['document', 'stylesheet', 'script'].includes(each.request().resourceType()));
    const sizes = await Promise.all(weighed.map(async (each) => (await each.request().sizes()).responseBodySize));
    assert.equal(weighed.filter((each) => each.status() === 200).length, 3);
    const sum = sizes.reduce((one, other) => one + other, 0);
    assert.ok(sum > 5_000 && sum <= LARGEST, `${sum} bytes: ${sizes}`);
    console.log(`The list, its stylesheet and its module: ${sum} bytes as they travel.`);
    assert.deepEqual(await page.evaluate(() => window.shifts), []);
    await visitor.leave();
    await door.leave();
  } finally {
    await keydesk.stop();
    await browser.close();
  }
});
