// Draws every scene into /screens at the project's root, in both themes and four widths, for people to look at.
// `npm run screens -- 'page of a key'` draws the scenes whose name matches, beside what is there.

import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scenes } from './support/scenes.mjs';
import { Stage, hasOverlay } from './support/stage.mjs';
import { launch } from './support/visitor.mjs';

const folder = fileURLToPath(new URL('../../screens/', import.meta.url));
const SIZES = [
  { width: 1280, height: 800 },
  { width: 820, height: 1180 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

const [wanted = ''] = process.argv.slice(2);
if (!wanted) await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await launch();
const stage = await Stage.build(browser);
try {
  for (const [index, scene] of scenes.entries()) {
    if (!new RegExp(wanted).test(scene.name)) continue;
    const visitor = await stage.play(scene);
    const name = `${String(index + 1).padStart(2, '0')}-${scene.name.replace(/[^a-z0-9]+/g, '-')}`;
    for (const colorScheme of ['light', 'dark']) {
      for (const size of SIZES) {
        await visitor.page.emulateMedia({ colorScheme });
        await visitor.page.setViewportSize(size);
        // An overlay belongs to the window, not to the length of the page behind it.
        const fullPage = !(await hasOverlay(visitor.page));
        await visitor.page.screenshot({ path: `${folder}${name}-${colorScheme}-${size.width}.png`, fullPage });
      }
    }
    await visitor.leave();
    console.log(scene.name);
  }
} finally {
  await stage.strike();
  await browser.close();
}
