// On paper there is no scrolling: an open audit trail is printed whole, alone, and the same with a script as without.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Keydesk } from './support/keydesk.mjs';
import { LONGEST_TEST } from './support/patience.mjs';
import { KEYS, open, overlay, signIn } from './support/steps.mjs';
import { Visitor, launch } from './support/visitor.mjs';

const sheets = (pdf) => pdf.toString('latin1').match(/\/Type \/Page\b/g).length;

test('an open audit trail is printed whole', { timeout: LONGEST_TEST }, async () => {
  const [browser, keydesk] = await Promise.all([launch(), Keydesk.demo()]);
  try {
    const printed = [];
    for (const javaScriptEnabled of [true, false]) {
      const visitor = await Visitor.arrive(browser, keydesk, { javaScriptEnabled });
      const { page } = visitor;
      await signIn(page, { email: keydesk.said('Email'), password: keydesk.said('Password') });
      await open(page, `${KEYS}?audit=open`);
      printed.push(sheets(await page.pdf({ format: 'A5' })));
      await page.emulateMedia({ media: 'print' });
      assert.ok(await overlay(page).getByRole('heading', { name: 'Audit trail' }).isVisible());
      assert.ok(!(await page.locator('h1').isVisible()), 'the list is printed, too');
      await visitor.leave();
    }
    assert.ok(printed[0] > 1, `${printed} sheets`);
    assert.equal(printed[0], printed[1]);
  } finally {
    await keydesk.stop();
    await browser.close();
  }
});
