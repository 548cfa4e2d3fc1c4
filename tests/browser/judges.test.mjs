// That the judges look: what would be wrong with a page is found, under the policy that the pages are served with.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axeSays, htmlValidateSays, isCutOff, scrollsSideways, sticksOut } from './support/judges.mjs';
import { Keydesk } from './support/keydesk.mjs';
import { LONGEST_TEST } from './support/patience.mjs';
import { Visitor, launch } from './support/visitor.mjs';

let browser;
let keydesk;
before(async () => {
  [browser, keydesk] = await Promise.all([launch(), Keydesk.fresh()]);
});
after(async () => {
  await keydesk?.stop();
  await browser?.close();
});

const atTheDoor = async () => {
  const visitor = await Visitor.arrive(browser, keydesk);
  await visitor.page.goto(keydesk.said('Set-up link'));
  return visitor;
};

test('axe finds what is wrong, and leaves nothing on the page', { timeout: LONGEST_TEST }, async () => {
  const visitor = await atTheDoor();
  const { page } = visitor;
  assert.deepEqual(await axeSays(page), []);
  await page.locator('label').first().evaluate((label) => label.remove());
  const complaints = await axeSays(page);
  assert.ok(complaints.some((complaint) => complaint.startsWith('label:')), `${complaints}`);
  assert.equal(await page.evaluate(() => typeof window.axe), 'undefined');
  await visitor.leave();
});

const OFFENCES = {
  'a style of its own': [() => document.body.setAttribute('style', 'color: red'), /style-src/],
  'a script of its own': [() => document.body.append(Object.assign(document.createElement('script'), { src: 'data:text/javascript,1' })), /TrustedScriptURL|script-src/],
  'text taken for HTML': [() => void document.body.insertAdjacentHTML('beforeend', '<p>'), /TrustedHTML/],
  'a picture from elsewhere': [() => document.body.append(Object.assign(new Image(), { src: 'http://203.0.113.9/' })), /img-src|asks another host/],
};
for (const [name, [offence, complaint]] of Object.entries(OFFENCES)) {
  test(`what the page's policy reports is held against the page: ${name}`, { timeout: LONGEST_TEST }, async () => {
    const visitor = await atTheDoor();
    const reported = visitor.page.waitForEvent('console');
    await visitor.page.evaluate(offence).catch(() => {});
    await reported;
    await assert.rejects(visitor.leave(), complaint);
  });
}

test('html-validate and the tape measure find what is wrong', { timeout: LONGEST_TEST }, async () => {
  assert.ok((await htmlValidateSays('<!DOCTYPE html><title>One</title><p><div></div></p>')).length > 0);
  const visitor = await atTheDoor();
  const { page } = visitor;
  await page.setViewportSize({ width: 320, height: 640 });
  assert.deepEqual([await sticksOut(page, 320), await isCutOff(page)], [[], []]);
  await page.locator('h1').evaluate((heading) => Object.assign(heading.style, { width: '400px' }));
  assert.notDeepEqual(await sticksOut(page, 320), []);
  await page.locator('h1').evaluate((heading) => Object.assign(heading.style, { width: '20px', overflow: 'hidden' }));
  assert.notDeepEqual(await isCutOff(page), []);
  assert.deepEqual(await scrollsSideways(page), []);
  await page.locator('main').evaluate((main) => {
    const card = document.createElement('div');
    const tooWide = document.createElement('div');
    card.className = 'card';
    tooWide.textContent = 'Too wide';
    tooWide.style.width = '400px';
    card.append(tooWide);
    main.append(card);
  });
  assert.notDeepEqual(await scrollsSideways(page), []);
  await visitor.leave();
});
