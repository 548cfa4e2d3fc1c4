// The audits of a page: axe, html-validate, the Nu checker and measurements in the browser. Each returns a list of problems,
// which must be empty.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { HtmlValidate } from 'html-validate';
import vnu from 'vnu-jar';

export const THEMES = ['light', 'dark'];
export const WIDTHS = [1280, 820, 390, 320];

/** Runs axe in an isolated world. The page keeps its own policy, and reports of the policy come from the page alone. */
export async function axeViolations(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await evaluate(`${axe.source}; undefined`);
  // Off by default in axe, but part of WCAG 2.2 AA.
  const violations = await evaluate("axe.run({ rules: { 'target-size': { enabled: true } } }).then(({ violations }) => violations)");
  await session.detach();
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' · ')}`);
}

/**
 * The elements that overflow a window of this width, except those inside `scroller`, which may scroll. An overlay is outside
 * the flow of the page and therefore measured by itself.
 */
export async function overflowingElements(page, width, scroller = 'none') {
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

/** The cards that scroll sideways. Only a larger font of the reader may cause that. */
export async function scrollingCards(page) {
  return page.locator('.card').evaluateAll((all) =>
    all
      .filter((card) => card.scrollWidth > card.clientWidth)
      .map((card) => `${card.scrollWidth - card.clientWidth} px: ${card.textContent.replaceAll(/\s+/g, ' ').slice(0, 100)}`),
  );
}

/** The elements whose text is clipped. */
export async function clippedElements(page) {
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

/** The elements without a border, which forced colours make invisible. The browser draws checkboxes and radio buttons. */
export async function borderlessElements(page) {
  return page.locator('.button:not(.ghost), .pill, .count, .disc, .banner, .card, dialog[open], input, select, textarea').evaluateAll((all) =>
    all
      .filter((element) => element.checkVisibility() && !['hidden', 'checkbox', 'radio'].includes(element.type) && !parseFloat(getComputedStyle(element).borderTopWidth))
      .map((element) => element.outerHTML.slice(0, 200)),
  );
}

const htmlValidate = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:document'],
  rules: {
    // The server's own files are as trustworthy as its pages.
    'require-sri': ['error', { target: 'crossorigin' }],
    // Names of companies and keys may be long.
    'long-title': 'off',
    // The field of selected keys is repeated.
    'form-dup-name': 'off',
  },
});

export async function htmlValidateErrors(html) {
  const { results } = await htmlValidate.validateString(html);
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${ruleId}: ${message} (line ${line}: ${html.split('\n')[line - 1]?.trim().slice(0, 160)})`));
}

/** Checks all pages at once, because the checker starts slowly. `pages` maps names to HTML. */
export async function nuErrors(pages) {
  const folder = await mkdtemp(join(tmpdir(), 'keydesk-nu-'));
  try {
    const names = [...pages.keys()];
    await Promise.all(names.map((name, at) => writeFile(join(folder, `${at}.html`), pages.get(name))));
    const words = ['-jar', vnu, '--errors-only', '--format', 'json', '--exit-zero-always', '--stdout', folder];
    const report = await new Promise((done, fail) => {
      execFile('java', words, { maxBuffer: 1 << 26 }, (error, out) => (error ? fail(error) : done(out)));
    });
    return JSON.parse(report).messages.map(({ url, message, extract }) => `${names[Number(/(\d+)\.html$/.exec(url)[1])]}: ${message} ${extract}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
