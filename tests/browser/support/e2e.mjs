// End-to-end tests: each runs on its own installation, with JavaScript and without. All tests of a file share one browser.

import { after, before, test } from 'node:test';
import { Keydesk } from './keydesk.mjs';
import { TEST_TIMEOUT } from './timeouts.mjs';
import { Client, launch } from './client.mjs';

let browser;
// Servers that are stopping. The next test does not wait for them.
const stopping = [];
before(async () => {
  browser = await launch();
});
after(() => Promise.all([browser.close(), ...stopping]));

/**
 * `run` gets a new Keydesk, `newClient`, which opens a clean browser context (with its options), and whether JavaScript is on.
 * `needsJavaScript` is for tests of scripts.
 */
export function e2e(name, run, { needsJavaScript = false } = {}) {
  for (const javaScriptEnabled of needsJavaScript ? [true] : [true, false]) {
    test(`${name}, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, { timeout: TEST_TIMEOUT }, async () => {
      const keydesk = await Keydesk.fresh();
      const clients = [];
      const newClient = async (options = {}) => {
        clients.push(await Client.open(browser, keydesk, { javaScriptEnabled, ...options }));
        return clients.at(-1);
      };
      try {
        await run(keydesk, newClient, javaScriptEnabled);
        for (const client of clients.splice(0)) await client.close();
      } finally {
        await Promise.allSettled(clients.map((client) => client.close()));
        stopping.push(keydesk.stop());
      }
    });
  }
}
