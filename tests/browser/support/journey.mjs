// A journey: a sentence of what somebody does, walked on an installation of its own, with JavaScript and without.
// A file of tests that imports this has one browser open while it runs.

import { after, before, test } from 'node:test';
import { Keydesk } from './keydesk.mjs';
import { LONGEST_TEST } from './patience.mjs';
import { Visitor, launch } from './visitor.mjs';

let browser;
// A server takes its time to stop, and the next walk need not wait for it.
const stopping = [];
before(async () => {
  browser = await launch();
});
after(() => Promise.all([browser.close(), ...stopping]));

/**
 * `walk` is given a fresh keydesk, `arrive`, which brings a visitor with a clean browser (`options` are its context's own),
 * and whether there is JavaScript. `needsJavaScript` is for what only a script can do.
 */
export function journey(sentence, walk, { needsJavaScript = false } = {}) {
  for (const javaScriptEnabled of needsJavaScript ? [true] : [true, false]) {
    test(`${sentence}, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, { timeout: LONGEST_TEST }, async () => {
      const keydesk = await Keydesk.fresh();
      const visitors = [];
      const arrive = async (options = {}) => {
        visitors.push(await Visitor.arrive(browser, keydesk, { javaScriptEnabled, ...options }));
        return visitors.at(-1);
      };
      try {
        await walk(keydesk, arrive, javaScriptEnabled);
        for (const visitor of visitors.splice(0)) await visitor.leave();
      } finally {
        await Promise.allSettled(visitors.map((visitor) => visitor.leave()));
        stopping.push(keydesk.stop());
      }
    });
  }
}
