// Audits every scene. AUDITS=full checks each scene in both themes, all widths and all further settings. By default each scene
// is checked in one of them, in turn. SCENES selects scenes by a regular expression.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { THEMES, WIDTHS, axeViolations, htmlValidateErrors, clippedElements, borderlessElements, nuErrors, scrollingCards, overflowingElements } from './support/audits.mjs';
import { TEST_TIMEOUT } from './support/timeouts.mjs';
import { routeOf, routes } from './support/routes.mjs';
import { scenes } from './support/scenes.mjs';
import { Fixtures } from './support/fixtures.mjs';
import { open } from './support/steps.mjs';
import { launch } from './support/client.mjs';

const isFull = process.env.AUDITS === 'full';
const selected = new RegExp(process.env.SCENES ?? '');
const VIEWS = THEMES.flatMap((colorScheme) => WIDTHS.map((width) => ({ colorScheme, width })));
/** Text settings of readers (WCAG 2.2, 1.4.12 and 1.4.4). */
const SPACED = '* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }';
const TWICE_AS_LARGE = 'html { font-size: 200% !important }';
/** Downloads have no page. */
const FILES = /\/(export\.\w+|usage\.csv|first-request|checkpoint|public-key)$/;
/** The parts that differ between two answers of the same page: tokens, ids and recent times. */
const VARIABLE_PARTS = / name="submission" value="[^"]*"|>(Just now|\d+ seconds? ago)<|Usage as of .*?<\/time>| open=""|to <time[^>]*>[\d:]+<\/time>|Reference: [0-9a-f]{16}/gi;
const ATTEMPTS = 3;
/** The statuses of error pages. */
const ERROR_STATUSES = [400, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503];

let browser;
let fixtures;
const requests = new Set();
const statuses = new Set();
const htmls = new Map();
before(async () => {
  browser = await launch();
  fixtures = await Fixtures.build(browser);
});
after(async () => {
  await fixtures?.stop();
  await browser.close();
});

const none = (problems, context) => assert.deepEqual(problems, [], context);
const resize = (page, width) => page.setViewportSize({ width, height: 800 });

for (const [index, scene] of scenes.entries()) {
  if (!selected.test(scene.name)) continue;
  test(scene.name, { timeout: TEST_TIMEOUT }, async () => {
    const client = await fixtures.open(scene);
    const { page, answer } = client;
    for (const each of client.requests) requests.add(each.join(' '));
    statuses.add(answer.status());
    const html = await answer.text();
    htmls.set(scene.name, html);
    none(await htmlValidateErrors(html));
    if (/class="secret"|name="token"|action="[^"]*token=/.test(html)) {
      assert.equal(await answer.headerValue('content-encoding'), null, 'a page with a secret is compressed');
    }
    await resize(page, 320);
    none(await overflowingElements(page, 320), '320 px');
    // The heading of a dialog is visible at first, wherever the focus is. After an error, the error is.
    const scrolled = await page.locator('dialog[open]:not(:has(.field-error))').evaluateAll((all) => all.map(({ scrollTop }) => scrollTop));
    assert.ok(scrolled.every((top) => top === 0), `opens ${scrolled} px below its heading`);

    for (const { colorScheme, width } of isFull ? VIEWS : [VIEWS[index % VIEWS.length]]) {
      await page.emulateMedia({ colorScheme });
      await resize(page, width);
      none(await axeViolations(page), `${colorScheme}, ${width} px`);
      none(await clippedElements(page), `${width} px`);
      none(await scrollingCards(page), `${width} px`);
    }
    if (isFull || index % 3 === 0) await checkReaderSettings(page);
    if (answer.request().method() === 'GET' && (isFull || index % 3 === 1)) await checkWithoutScript(scene, client);
    await client.close();
  });
}

test('the Nu checker finds no errors', { timeout: TEST_TIMEOUT }, async () => {
  none(await nuErrors(htmls));
});

test('every route has a scene', { skip: selected.source !== '(?:)' }, async () => {
  const all = await routes();
  const opened = new Set([...requests].map((each) => routeOf(all, ...each.split(' '))?.name));
  none(all.filter(({ name, path }) => !opened.has(name) && !FILES.test(path)).map(({ name }) => name));
});

test('every error status has a scene', { skip: selected.source !== '(?:)' }, () => {
  none(ERROR_STATUSES.filter((status) => !statuses.has(status)));
});

/** Checks spaced text, text of twice the size, forced colours and print. */
async function checkReaderSettings(page) {
  for (const [content, widths] of [[SPACED, [1280, 320]], [TWICE_AS_LARGE, [1280, 640]]]) {
    // The policy of the page forbids inline styles, so the style is set as a browser extension does.
    await page.evaluate((content) => {
      const style = new CSSStyleSheet();
      style.replaceSync(content);
      document.adoptedStyleSheets = [style];
    }, content);
    for (const width of widths) {
      await resize(page, width);
      // A table that is wider than its card scrolls inside the card.
      none(await overflowingElements(page, width, '.card'), `${content}, ${width} px`);
      none(await clippedElements(page), `${content}, ${width} px`);
    }
    await page.evaluate(() => (document.adoptedStyleSheets = []));
  }
  await page.emulateMedia({ forcedColors: 'active' });
  none(await borderlessElements(page), 'forced colours');
  await page.emulateMedia({ forcedColors: null, media: 'print' });
  await resize(page, 718);
  none(await overflowingElements(page, 718), 'print');
  await page.emulateMedia({ media: null });
}

/**
 * Checks that the server sends the same page with and without scripts. If a minute or a day has passed between the two
 * requests, both are repeated: real differences remain.
 */
async function checkWithoutScript(scene, client) {
  const bare = await fixtures.openSamePage(scene, client, { javaScriptEnabled: false });
  const lines = (text) => text.replaceAll(VARIABLE_PARTS, '').split('\n');
  const differ = (one, other) => lines(one).filter((line, at) => line !== lines(other)[at]);
  const rendered = (each) => each.page.locator('main').evaluate((main) => main.outerHTML);
  const differences = async () => {
    const served = differ(await bare.answer.text(), await client.answer.text());
    // Scripts add buttons that copy or reveal, the hint of a shortcut, and the bar of a selection.
    const isEnhanced = await client.page.locator('button:is(.copy, .reveal), kbd, .selecting').count();
    return isEnhanced ? served : [...served, ...differ(await rendered(bare), await rendered(client))];
  };
  let found = await differences();
  for (let attempt = 1; attempt < ATTEMPTS && found.length > 0; attempt += 1) {
    for (const { page, answer } of [client, bare]) await open(page, answer.url());
    found = await differences();
  }
  none(found);
  await bare.close();
}
