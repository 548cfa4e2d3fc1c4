// Takes screenshots of every scene in both themes and four widths, into the folder `screens` of the project.
// `npm run screens -- 'page of a key'` takes only the scenes whose name matches, and keeps the other files.

import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { scenes } from './support/scenes.mjs';
import { Fixtures, hasOverlay } from './support/fixtures.mjs';
import { launch } from './support/client.mjs';

const folder = fileURLToPath(new URL('../../screens/', import.meta.url));
const SIZES = [
  { width: 1280, height: 800 },
  { width: 820, height: 1180 },
  { width: 390, height: 844 },
  { width: 320, height: 640 },
];

const [pattern = ''] = process.argv.slice(2);
if (!pattern) await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await launch();
const fixtures = await Fixtures.build(browser);
try {
  for (const [index, scene] of scenes.entries()) {
    if (!new RegExp(pattern).test(scene.name)) continue;
    const client = await fixtures.open(scene);
    const name = `${String(index + 1).padStart(2, '0')}-${scene.name.replace(/[^a-z0-9]+/g, '-')}`;
    for (const colorScheme of ['light', 'dark']) {
      for (const size of SIZES) {
        await client.page.emulateMedia({ colorScheme });
        await client.page.setViewportSize(size);
        // An overlay covers the window, not the whole length of the page behind it.
        const fullPage = !(await hasOverlay(client.page));
        await client.page.screenshot({ path: `${folder}${name}-${colorScheme}-${size.width}.png`, fullPage });
      }
    }
    await client.close();
    console.log(scene.name);
  }
} finally {
  await fixtures.stop();
  await browser.close();
}
