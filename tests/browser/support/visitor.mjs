// Somebody with a browser. Whatever the console says, and every request that leaves for another host, is held
// against the pages.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { PATIENCE } from './patience.mjs';

/** Without its windows Chromium draws the same pages in half the time; `npm run judges` takes the whole of it. */
const WITHOUT_WINDOWS = '/usr/bin/chromium-headless-shell';
export const program = process.env.CHROMIUM_BIN ?? (existsSync(WITHOUT_WINDOWS) ? WITHOUT_WINDOWS : '/usr/bin/chromium');
const withoutScript = new WeakSet();

export function launch() {
  // No name resolves: a page that asks for another host is found out, and asks in vain.
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  return chromium.launch({ executablePath: program, args, timeout: PATIENCE });
}

export const hasScript = (page) => !withoutScript.has(page);

/**
 * Until the page is whole, as its reader finds it. Its script has run by the time it is loaded, but makes a served dialog
 * modal with the next picture only, and takes its backdrop away in the same moment: a key pressed before would go nowhere.
 */
export async function ready(page) {
  await page.waitForLoadState();
  if (hasScript(page)) await page.locator('body > .backdrop').waitFor({ state: 'detached' });
}

export class Visitor {
  #context;
  #complaints = [];
  #visited = new Set();
  #refused = [];
  /** Every request for a page: its method and path. */
  asked = [];
  /** The answer that became the page. */
  answer;

  /** `options` are the browser context's own. */
  static async arrive(browser, keydesk, options = {}) {
    const context = await browser.newContext({
      baseURL: keydesk.url,
      locale: 'en-GB',
      timezoneId: 'Europe/Oslo',
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor(context, keydesk.url);
    visitor.page = await context.newPage();
    if (options.javaScriptEnabled === false) withoutScript.add(visitor.page);
    visitor.page.on('response', (response) => {
      const isThePage = response.request().isNavigationRequest() && response.frame() === visitor.page.mainFrame();
      if (isThePage && response.status() !== 303) visitor.answer = response;
    });
    return visitor;
  }

  constructor(context, home) {
    this.#context = context;
    context.on('request', (request) => {
      if (request.isNavigationRequest()) this.#visited.add(request.url());
      if (['document', 'xhr'].includes(request.resourceType())) this.asked.push([request.method(), new URL(request.url()).pathname]);
      if (!request.url().startsWith(`${home}/`)) this.#complaints.push(`asks another host: ${request.url()}`);
    });
    context.on('weberror', (thrown) => this.#complaints.push(`script: ${thrown.error()}`));
    context.on('console', (message) => {
      const isStatus = message.text().startsWith('Failed to load resource: the server responded');
      // Said to who clicks or types before the page is first drawn, as tests do and people cannot.
      const isFasterThanAutofocus = message.text() === 'Autofocus processing was blocked because a document already has a focused element.';
      if (isFasterThanAutofocus) return;
      if (isStatus) this.#refused.push([message.location().url, message.text()]);
      else this.#complaints.push(`console: ${message.text()}`);
    });
  }

  /** The cookies, to be carried into another browser. */
  cookies() {
    return this.#context.cookies();
  }

  carry(cookies) {
    return this.#context.addCookies(cookies);
  }

  /** Posts a form that no page offers, from the same site and with this visitor's cookies. */
  post(path, form) {
    const { origin } = new URL(this.page.url());
    return this.#context.request.post(path, { form, headers: { origin }, maxRedirects: 0 });
  }

  async leave() {
    await this.#context.close();
    // A page that is itself the answer to a refusal: Chromium notes its status, and nothing is wrong with it.
    for (const [url, note] of this.#refused) if (!this.#visited.has(url)) this.#complaints.push(`console: ${url}: ${note}`);
    assert.deepEqual(this.#complaints, []);
  }
}
