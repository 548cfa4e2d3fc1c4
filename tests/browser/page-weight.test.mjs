// The size of the first load of the list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { TEST_TIMEOUT } from './support/timeouts.mjs';
import { signIn } from './support/steps.mjs';
import { Client, launch } from './support/client.mjs';

const MAX_BYTES = 40 * 1_024;

test('the first load of the list weighs at most 40 KiB and nothing in it moves', { timeout: TEST_TIMEOUT }, async () => {
  const [browser, keydesk] = await Promise.all([launch(), Keydesk.demo()]);
  try {
    const signedIn = await Client.open(browser, keydesk);
    await signIn(signedIn.page, { email: keydesk.output('Email'), password: keydesk.output('Password') });
    const client = await Client.open(browser, keydesk);
    await client.addCookies(await signedIn.cookies());
    const { page } = client;
    await page.addInitScript(() => {
      window.shifts = [];
      // What moved, so that a failure can be understood.
      const moved = ({ node, previousRect, currentRect }) => `${node?.nodeName} ${JSON.stringify(previousRect)} ${JSON.stringify(currentRect)}`;
      const entries = (list) => list.getEntries().map(({ value, sources }) => ({ value, moved: sources.map(moved) }));
      new PerformanceObserver((list) => window.shifts.push(...entries(list))).observe({ type: 'layout-shift', buffered: true });
    });
    const parts = [];
    page.on('response', (response) => parts.push(response));
    await page.goto('/', { waitUntil: 'networkidle' });
    // HTML, stylesheet and module. The icon is not part of the page.
    const weighed = parts.filter((each) => ['document', 'stylesheet', 'script'].includes(each.request().resourceType()));
    const sizes = await Promise.all(weighed.map(async (each) => (await each.request().sizes()).responseBodySize));
    assert.equal(weighed.filter((each) => each.status() === 200).length, 3);
    const sum = sizes.reduce((one, other) => one + other, 0);
    assert.ok(sum > 5_000 && sum <= MAX_BYTES, `${sum} bytes: ${sizes}`);
    console.log(`The list, its stylesheet and its module: ${sum} bytes compressed.`);
    assert.deepEqual(await page.evaluate(() => window.shifts), []);
    await client.close();
    await signedIn.close();
  } finally {
    await keydesk.stop();
    await browser.close();
  }
});
