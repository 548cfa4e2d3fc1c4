// An open audit trail is printed completely and without the list, with scripts and without.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { TEST_TIMEOUT } from './support/timeouts.mjs';
import { KEYS, open, overlay, signIn } from './support/steps.mjs';
import { Client, launch } from './support/client.mjs';

const sheets = (pdf) => pdf.toString('latin1').match(/\/Type \/Page\b/g).length;

test('an open audit trail is printed completely', { timeout: TEST_TIMEOUT }, async () => {
  const [browser, keydesk] = await Promise.all([launch(), Keydesk.demo()]);
  try {
    const printed = [];
    for (const javaScriptEnabled of [true, false]) {
      const client = await Client.open(browser, keydesk, { javaScriptEnabled });
      const { page } = client;
      await signIn(page, { email: keydesk.output('Email'), password: keydesk.output('Password') });
      await open(page, `${KEYS}?audit=open`);
      printed.push(sheets(await page.pdf({ format: 'A5' })));
      await page.emulateMedia({ media: 'print' });
      assert.ok(await overlay(page).getByRole('heading', { name: 'Audit trail' }).isVisible());
      assert.ok(!(await page.locator('h1').isVisible()), 'the list is printed as well');
      await client.close();
    }
    assert.ok(printed[0] > 1, `${printed} sheets`);
    assert.equal(printed[0], printed[1]);
  } finally {
    await keydesk.stop();
    await browser.close();
  }
});
