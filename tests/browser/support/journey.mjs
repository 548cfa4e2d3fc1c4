// A journey: a sentence of what somebody does, walked on an installation of its own, with JavaScript and without.
// A file of tests that imports this has one browser open while it runs.

import { after, before, test } from 'node:test';
import { Keydesk } from './keydesk.mjs';
import { Visitor, launch } from './visitor.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** `walk` is given a fresh keydesk and `arrive`, which brings a visitor with a clean browser. */
export function journey(sentence, walk) {
  for (const javaScriptEnabled of [true, false]) {
    test(`${sentence}, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, { timeout: 120_000 }, async () => {
      const keydesk = await Keydesk.fresh();
      const visitors = [];
      const arrive = async () => {
        visitors.push(await Visitor.arrive(browser, keydesk, { javaScriptEnabled }));
        return visitors.at(-1);
      };
      try {
        await walk(keydesk, arrive);
        for (const visitor of visitors.splice(0)) await visitor.leave();
      } finally {
        await Promise.allSettled(visitors.map((visitor) => visitor.leave()));
        await keydesk.stop();
      }
    });
  }
}
