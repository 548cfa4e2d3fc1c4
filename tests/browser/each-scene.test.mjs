// What must hold on every page and in every state of it, whatever it is for. JUDGES=whole looks at each scene in both themes
// and all widths, and at more besides; otherwise each scene is looked at once, in one of them by turns.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { THEMES, WIDTHS, axeSays, htmlValidateSays, isCutOff, isWithoutEdge, nuSays, scrollsSideways, sticksOut } from './support/judges.mjs';
import { LONGEST_TEST } from './support/patience.mjs';
import { routeOf, routes } from './support/routes.mjs';
import { scenes } from './support/scenes.mjs';
import { Stage } from './support/stage.mjs';
import { open } from './support/steps.mjs';
import { launch } from './support/visitor.mjs';

const whole = process.env.JUDGES === 'whole';
const wanted = new RegExp(process.env.SCENES ?? '');
const VIEWS = THEMES.flatMap((colorScheme) => WIDTHS.map((width) => ({ colorScheme, width })));
/** What readers may set for themselves (WCAG 2.2, 1.4.12 and 1.4.4). */
const SPACED = '* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-block-end: 2em !important }';
const TWICE_AS_LARGE = 'html { font-size: 200% !important }';
/** What is saved as a file has no page to look at. */
const FILES = /\/(export\.\w+|checkpoint|public-key)$/;
/** What differs from one answer to the next although the page is the same; how long ago something was, when it was seconds. */
const PASSING = / name="submission" value="[^"]*"|>(Just now|\d+ seconds? ago)<|Counted as of .*?<\/time>| open=""|to <time[^>]*>[\d:]+<\/time>|Request [0-9a-f]{16}/gi;
const ATTEMPTS = 3;
/** With what pages answer that something is wrong. */
const FAULTS = [400, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503];

let browser;
let stage;
const seen = new Set();
const statuses = new Set();
const htmls = new Map();
before(async () => {
  browser = await launch();
  stage = await Stage.build(browser);
});
after(async () => {
  await stage?.strike();
  await browser.close();
});

const none = (complaints, where) => assert.deepEqual(complaints, [], where);
const resize = (page, width) => page.setViewportSize({ width, height: 800 });

for (const [index, scene] of scenes.entries()) {
  if (!wanted.test(scene.name)) continue;
  test(scene.name, { timeout: LONGEST_TEST }, async () => {
    const visitor = await stage.play(scene);
    const { page, answer } = visitor;
    for (const each of visitor.asked) seen.add(each.join(' '));
    statuses.add(answer.status());
    const html = await answer.text();
    htmls.set(scene.name, html);
    none(await htmlValidateSays(html));
    if (/class="secret"|name="token"|action="[^"]*token=/.test(html)) {
      assert.equal(await answer.headerValue('content-encoding'), null, 'what holds a secret is not compressed');
    }
    await resize(page, 320);
    none(await sticksOut(page, 320), '320 px');
    // Wherever the focus is put, what a dialog is about can be read; after a refusal, what was wrong.
    const scrolled = await page.locator('dialog[open]:not(:has(.field-error))').evaluateAll((all) => all.map(({ scrollTop }) => scrollTop));
    assert.ok(scrolled.every((top) => top === 0), `opens ${scrolled} px below its heading`);

    for (const { colorScheme, width } of whole ? VIEWS : [VIEWS[index % VIEWS.length]]) {
      await page.emulateMedia({ colorScheme });
      await resize(page, width);
      none(await axeSays(page), `${colorScheme}, ${width} px`);
      none(await isCutOff(page), `${width} px`);
      none(await scrollsSideways(page), `${width} px`);
    }
    if (whole || index % 3 === 0) await holdsWhenSetOtherwise(page);
    if (answer.request().method() === 'GET' && (whole || index % 3 === 1)) await isTheSameWithoutScript(scene, visitor);
    await visitor.leave();
  });
}

test('the Nu checker finds no error in any of these pages', { timeout: LONGEST_TEST }, async () => {
  none(await nuSays(htmls));
});

test('every route has a scene', { skip: wanted.source !== '(?:)' }, async () => {
  const all = await routes();
  const played = new Set([...seen].map((each) => routeOf(all, ...each.split(' '))?.name));
  none(all.filter(({ name, path }) => !played.has(name) && !FILES.test(path)).map(({ name }) => name));
});

test('every way of failing has a scene', { skip: wanted.source !== '(?:)' }, () => {
  none(FAULTS.filter((status) => !statuses.has(status)));
});

/** Text twice as large, spaced, in forced colours, printed. */
async function holdsWhenSetOtherwise(page) {
  for (const [content, widths] of [[SPACED, [1280, 320]], [TWICE_AS_LARGE, [1280, 640]]]) {
    // As the page's own policy lets no style in, it is set as a reader's extension would.
    await page.evaluate((content) => {
      const style = new CSSStyleSheet();
      style.replaceSync(content);
      document.adoptedStyleSheets = [style];
    }, content);
    for (const width of widths) {
      await resize(page, width);
      // A table that is wider than its card scrolls in it.
      none(await sticksOut(page, width, '.card'), `${content}, ${width} px`);
      none(await isCutOff(page), `${content}, ${width} px`);
    }
    await page.evaluate(() => (document.adoptedStyleSheets = []));
  }
  await page.emulateMedia({ forcedColors: 'active' });
  none(await isWithoutEdge(page), 'forced colours');
  await page.emulateMedia({ forcedColors: null, media: 'print' });
  await resize(page, 718);
  none(await sticksOut(page, 718), 'print');
  await page.emulateMedia({ media: null });
}

/**
 * The server draws one page for everybody: what a browser without script shows is what the script found. Where time has passed
 * between the two, a minute or a day, both are asked once more: what differs for another reason differs again.
 */
async function isTheSameWithoutScript(scene, visitor) {
  const bare = await stage.follow(scene, visitor, { javaScriptEnabled: false });
  const lines = (text) => text.replaceAll(PASSING, '').split('\n');
  const differ = (one, other) => lines(one).filter((line, at) => line !== lines(other)[at]);
  const drawn = (each) => each.page.locator('main').evaluate((main) => main.outerHTML);
  const differences = async () => {
    const served = differ(await bare.answer.text(), await visitor.answer.text());
    const hasCopy = await visitor.page.locator('button.copy').count();
    return hasCopy ? served : [...served, ...differ(await drawn(bare), await drawn(visitor))];
  };
  let found = await differences();
  for (let attempt = 1; attempt < ATTEMPTS && found.length > 0; attempt += 1) {
    for (const { page, answer } of [visitor, bare]) await open(page, answer.url());
    found = await differences();
  }
  none(found);
  await bare.leave();
}
