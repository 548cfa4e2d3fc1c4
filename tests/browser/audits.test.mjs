// Tests that the audits find problems, under the Content Security Policy of the pages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeViolations, htmlValidateErrors, clippedElements, scrollingCards, overflowingElements } from './support/audits.mjs';
import { Keydesk } from './support/keydesk.mjs';
import { TEST_TIMEOUT } from './support/timeouts.mjs';
import { Client, launch } from './support/client.mjs';

let browser;
let keydesk;
before(async () => {
  [browser, keydesk] = await Promise.all([launch(), Keydesk.fresh()]);
});
after(async () => {
  await keydesk?.stop();
  await browser?.close();
});

const openSetUp = async () => {
  const client = await Client.open(browser, keydesk);
  await client.page.goto(keydesk.output('Set-up link'));
  return client;
};

test('axe finds a problem, and leaves nothing on the page', { timeout: TEST_TIMEOUT }, async () => {
  const client = await openSetUp();
  const { page } = client;
  assert.deepEqual(await axeViolations(page), []);
  await page.locator('label').first().evaluate((label) => label.remove());
  const problems = await axeViolations(page);
  assert.ok(problems.some((problem) => problem.startsWith('label:')), `${problems}`);
  assert.equal(await page.evaluate(() => typeof window.axe), 'undefined');
  await client.close();
});

const VIOLATIONS = {
  'an inline style': [() => document.body.setAttribute('style', 'color: red'), /style-src/],
  'a foreign script': [() => document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,1' })), /TrustedScriptURL|script-src/],
  'text used as HTML': [() => void document.body.insertAdjacentHTML('beforeend', '<p>'), /TrustedHTML/],
  'an image of another host': [() => document.body.append(Object.assign(new Image(), { src: 'http://203.0.113.9/' })), /img-src|request to another host/],
};
for (const [name, [violate, problem]] of Object.entries(VIOLATIONS)) {
  test(`a report of the policy fails the test: ${name}`, { timeout: TEST_TIMEOUT }, async () => {
    const client = await openSetUp();
    const reported = client.page.waitForEvent('console');
    await client.page.evaluate(violate).catch(() => {});
    await reported;
    await assert.rejects(client.close(), problem);
  });
}

test('html-validate and the measurements find problems', { timeout: TEST_TIMEOUT }, async () => {
  assert.ok((await htmlValidateErrors('<!DOCTYPE html><title>One</title><p><div></div></p>')).length > 0);
  const client = await openSetUp();
  const { page } = client;
  await page.setViewportSize({ width: 320, height: 640 });
  assert.deepEqual([await overflowingElements(page, 320), await clippedElements(page)], [[], []]);
  await page.locator('h1').evaluate((heading) => Object.assign(heading.style, { width: '400px' }));
  assert.notDeepEqual(await overflowingElements(page, 320), []);
  await page.locator('h1').evaluate((heading) => Object.assign(heading.style, { width: '20px', overflow: 'hidden', whiteSpace: 'nowrap' }));
  assert.notDeepEqual(await clippedElements(page), []);
  assert.deepEqual(await scrollingCards(page), []);
  await page.locator('main').evaluate((main) => {
    const card = document.createElement('div');
    const tooWide = document.createElement('div');
    card.className = 'card';
    tooWide.textContent = 'Too wide';
    tooWide.style.width = '400px';
    card.append(tooWide);
    main.append(card);
  });
  assert.notDeepEqual(await scrollingCards(page), []);
  await client.close();
});
