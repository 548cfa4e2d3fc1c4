// Who judges a page: axe, html-validate and the Nu checker, and what can be measured in a browser. Each gives its
// complaints in words; there must be none.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { HtmlValidate } from 'html-validate';
import vnu from 'vnu-jar';

export const THEMES = ['light', 'dark'];
export const WIDTHS = [1280, 820, 390, 320];

/** axe looks from a world of its own, so that the page keeps its policy, and what that reports is the page's own doing. */
export async function axeSays(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await evaluate(`${axe.source}; undefined`);
  // Not among axe's defaults, but part of WCAG 2.2 AA.
  const violations = await evaluate("axe.run({ rules: { 'target-size': { enabled: true } } }).then(({ violations }) => violations)");
  await session.detach();
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' · ')}`);
}

/**
 * What sticks out of a window of that width, but for what is in `scroller`, which may scroll by itself. An overlay is out of
 * the page's flow: it widens nothing and must be measured itself.
 */
export async function sticksOut(page, width, scroller = 'none') {
  return page.locator(`html, body, body *:not(.hidden, .hidden *, .account-name, ${scroller} *)`).evaluateAll(
    (all, width) =>
      all
        .filter((element) => {
          const isTooWide = element.matches('html, body, dialog') && element.scrollWidth > element.clientWidth;
          const text = document.createRange();
          text.selectNodeContents(element);
          const right = Math.max(element.getBoundingClientRect().right, element.children.length ? 0 : text.getBoundingClientRect().right);
          return isTooWide || (element.checkVisibility() && right > width + 0.5);
        })
        .map((element) => element.outerHTML.replaceAll(/\s+/g, ' ').slice(0, 200)),
    width,
  );
}

/** What has to be scrolled sideways in its card, which readers' own letters alone may bring about. */
export async function scrollsSideways(page) {
  return page.locator('.card').evaluateAll((all) =>
    all
      .filter((card) => card.scrollWidth > card.clientWidth)
      .map((card) => `${card.scrollWidth - card.clientWidth} px: ${card.textContent.replaceAll(/\s+/g, ' ').slice(0, 100)}`),
  );
}

/** Text that is cut off where it stands, which nothing on these pages may be. */
export async function isCutOff(page) {
  return page.locator('body *:not(.hidden, .hidden *, .account-name, svg *)').evaluateAll((all) =>
    all
      .filter((element) => {
        const { overflowX, overflowY, clipPath } = getComputedStyle(element);
        const cuts = (overflow) => overflow === 'hidden' || overflow === 'clip';
        const isTooWide = cuts(overflowX) && element.scrollWidth > element.clientWidth + 1;
        const isTooHigh = cuts(overflowY) && element.scrollHeight > element.clientHeight + 1;
        return element.checkVisibility() && clipPath === 'none' && !element.matches('select, input, textarea, svg') && (isTooWide || isTooHigh);
      })
      .map((element) => element.outerHTML.slice(0, 200)),
  );
}

/** What only its background shows, which forced colours take away. Boxes and radios are drawn by the browser itself. */
export async function isWithoutEdge(page) {
  return page.locator('.button:not(.ghost), .pill, .count, .disc, .banner, .card, dialog[open], input, select, textarea').evaluateAll((all) =>
    all
      .filter((element) => element.checkVisibility() && !['hidden', 'checkbox', 'radio'].includes(element.type) && !parseFloat(getComputedStyle(element).borderTopWidth))
      .map((element) => element.outerHTML.slice(0, 200)),
  );
}

const htmlValidate = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:document'],
  rules: {
    // What comes from the server itself is as trustworthy as its pages.
    'require-sri': ['error', { target: 'crossorigin' }],
    // Names of companies and keys are as long as people make them.
    'long-title': 'off',
    // Several keys may be revoked at once: their field is repeatable.
    'form-dup-name': 'off',
  },
});

export async function htmlValidateSays(html) {
  const { results } = await htmlValidate.validateString(html);
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${ruleId}: ${message} (line ${line}: ${html.split('\n')[line - 1]?.trim().slice(0, 160)})`));
}

/** Of all pages at once, as it takes the checker longer to start than to read them. `pages` are names with their HTML. */
export async function nuSays(pages) {
  const folder = await mkdtemp(join(tmpdir(), 'keydesk-nu-'));
  try {
    const names = [...pages.keys()];
    await Promise.all(names.map((name, at) => writeFile(join(folder, `${at}.html`), pages.get(name))));
    const words = ['-jar', vnu, '--errors-only', '--format', 'json', '--exit-zero-always', '--stdout', folder];
    const said = await new Promise((done, fail) => {
      execFile('java', words, { maxBuffer: 1 << 26 }, (error, out) => (error ? fail(error) : done(out)));
    });
    return JSON.parse(said).messages.map(({ url, message, extract }) => `${names[Number(/(\d+)\.html$/.exec(url)[1])]}: ${message} ${extract}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
