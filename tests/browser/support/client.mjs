// A browser context with one page. Console messages and requests to other hosts are failures.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { ACTION_TIMEOUT } from './timeouts.mjs';

/** The headless shell renders the same pages in half the time. `npm run audits` uses the full Chromium. */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';
export const program = process.env.CHROMIUM_BIN ?? (existsSync(HEADLESS_SHELL) ? HEADLESS_SHELL : '/usr/bin/chromium');
const withoutScript = new WeakSet();

export function launch() {
  // No host name resolves, so that requests to other hosts fail.
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  return chromium.launch({ executablePath: program, args, timeout: ACTION_TIMEOUT });
}

export const hasScript = (page) => !withoutScript.has(page);

/**
 * Waits until a page is complete. Its script has run when the page is loaded, but makes a served dialog modal only with the
 * next frame, and removes its backdrop at the same time. A key pressed earlier would be lost.
 */
export async function ready(page) {
  await page.waitForLoadState();
  if (hasScript(page)) await page.locator('body > .backdrop').waitFor({ state: 'detached' });
}

export class Client {
  #context;
  #problems = [];
  #navigations = new Set();
  #failedRequests = [];
  /** Every request for a page: its method and path. */
  requests = [];
  /** The response that is shown as the page. */
  answer;

  /** `options` are those of the browser context. */
  static async open(browser, keydesk, options = {}) {
    const context = await browser.newContext({
      baseURL: keydesk.url,
      locale: 'en-GB',
      timezoneId: 'Europe/Oslo',
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(ACTION_TIMEOUT);
    const client = new Client(context, keydesk.url);
    client.page = await context.newPage();
    if (options.javaScriptEnabled === false) withoutScript.add(client.page);
    client.page.on('response', (response) => {
      const isThePage = response.request().isNavigationRequest() && response.frame() === client.page.mainFrame();
      if (isThePage && response.status() !== 303) client.answer = response;
    });
    return client;
  }

  constructor(context, origin) {
    this.#context = context;
    context.on('request', (request) => {
      if (request.isNavigationRequest()) this.#navigations.add(request.url());
      if (['document', 'xhr'].includes(request.resourceType())) this.requests.push([request.method(), new URL(request.url()).pathname]);
      if (!request.url().startsWith(`${origin}/`)) this.#problems.push(`request to another host: ${request.url()}`);
    });
    context.on('weberror', (event) => this.#problems.push(`script: ${event.error()}`));
    context.on('console', (message) => {
      const isStatus = message.text().startsWith('Failed to load resource: the server responded');
      // Tests are faster than autofocus, users are not.
      const isFasterThanAutofocus = message.text() === 'Autofocus processing was blocked because a document already has a focused element.';
      if (isFasterThanAutofocus) return;
      if (isStatus) this.#failedRequests.push([message.location().url, message.text()]);
      else this.#problems.push(`console: ${message.text()}`);
    });
  }

  cookies() {
    return this.#context.cookies();
  }

  addCookies(cookies) {
    return this.#context.addCookies(cookies);
  }

  /** Posts a form directly, as from the same site and with the cookies of this client. */
  post(path, form) {
    const { origin } = new URL(this.page.url());
    return this.#context.request.post(path, { form, headers: { origin }, maxRedirects: 0 });
  }

  async close() {
    await this.#context.close();
    // Chromium logs the status of every failed request. For a page that was navigated to, that is expected.
    for (const [url, message] of this.#failedRequests) if (!this.#navigations.has(url)) this.#problems.push(`console: ${url}: ${message}`);
    assert.deepEqual(this.#problems, []);
  }
}
