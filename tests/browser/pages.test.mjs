// What must hold on every page and in every state of it, whatever it is for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import { scenes } from './support/scenes.mjs';
import { Stage } from './support/stage.mjs';
import { launch } from './support/visitor.mjs';

let browser;
let stage;
before(async () => {
  browser = await launch();
  stage = await Stage.build(browser);
});
after(async () => {
  await stage?.strike();
  await browser.close();
});

for (const scene of scenes) {
  test(`axe finds nothing on ${scene.name}, light and dark`, { timeout: 120_000 }, async () => {
    // The pages' own policy would keep axe out.
    const visitor = await stage.play(scene, { bypassCSP: true });
    await visitor.page.evaluate(axe.source);
    for (const colorScheme of ['light', 'dark']) {
      await visitor.page.emulateMedia({ colorScheme });
      // Not among axe's defaults, but part of WCAG 2.2 AA.
      const { violations } = await visitor.page.evaluate(() => window.axe.run({ rules: { 'target-size': { enabled: true } } }));
      assert.deepEqual(violations.map(inWords), [], colorScheme);
    }
    await visitor.leave();
  });

  test(`${scene.name} does not scroll sideways at 320 px`, { timeout: 120_000 }, async () => {
    const visitor = await stage.play(scene, { viewport: { width: 320, height: 640 } });
    // An overlay is out of the page's flow: what sticks out of it widens nothing and must be measured there.
    const tooWide = await visitor.page.locator('html, body, main, dialog[open], dialog[open] *').evaluateAll((all) =>
      all
        .filter((element) => element.getBoundingClientRect().right > 320 || (element.matches('html, body, dialog') && element.scrollWidth > element.clientWidth))
        .map((element) => element.outerHTML.slice(0, 200)),
    );
    assert.deepEqual(tooWide, []);
    // Wherever the focus is put, what a dialog is about can be read; after a refusal, what was wrong.
    const scrolled = await visitor.page.locator('dialog[open]:not(:has(.field-error))').evaluateAll((all) => all.map(({ scrollTop }) => scrollTop));
    assert.ok(scrolled.every((top) => top === 0), `opens ${scrolled} px below its heading`);
    await visitor.leave();
  });
}

function inWords({ id, help, nodes }) {
  return `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' · ')}`;
}
