// What people come for, from beginning to end, on an installation of their own: with JavaScript and without.

import assert from 'node:assert/strict';
import { journey } from './support/journey.mjs';
import { routes } from './support/routes.mjs';
import { ADMIN, AUDITOR, AUDIT_TRAIL, COMPANY, KEYS, USERS, addKey, addUser, events, open, overlay, preview, revokeKey, row, setUp, signIn } from './support/steps.mjs';
import { ready } from './support/visitor.mjs';

const ERP = 'ERP Sync Service';

journey('an admin sets the company up, adds a key and sees it once', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  assert.equal(await page.title(), `API Keys – Company Settings – ${COMPANY}`);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();

  const made = await addKey(page, ERP);
  assert.match(made.key, /^goa_[0-9A-Za-z]{38}$/);
  assert.equal(await page.locator('#new-key').count(), 1);
  const { status, body } = await keydesk.whoami(made.key);
  assert.deepEqual([status, body.key_id, body.service_account.name, body.company.name], [200, made.id, ERP, COMPANY]);

  await page.getByRole('link', { name: 'I’ve saved this key' }).click();
  await page.waitForURL(`**#key-${made.id}`);
  assert.equal(await page.locator('#new-key').count(), 0);
  assert.equal(await row(page, made).getAttribute('data-status'), 'active');
  assert.equal(await row(page, made).getByRole('rowheader').textContent(), ERP);
  assert.equal(await row(page, made).getByText(preview(made.key), { exact: true }).count(), 1);

  for (const path of [KEYS, `${KEYS}?tab=revoked`, `${KEYS}?audit=open`, `${KEYS}/audit-trail`, `${KEYS}/${made.id}/revoke`, `${KEYS}/new`]) {
    await page.goto(path);
    assert.ok(!(await page.content()).includes(made.key), `${path} shows the key again`);
  }
});

journey('an admin revokes it and the same script is refused', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const made = await addKey(page, ERP);
  const other = await addKey(page, 'Reporting Dashboard');
  assert.equal((await keydesk.whoami(made.key)).status, 200);

  await revokeKey(page, made, 'compromised', 'Found in a public repository');
  const refused = await keydesk.whoami(made.key);
  assert.deepEqual([refused.status, refused.challenge], [401, 'Bearer error="invalid_token"']);
  assert.equal((await keydesk.whoami(other.key)).status, 200);

  await page.goto(KEYS);
  assert.deepEqual([await row(page, made).count(), await row(page, other).count()], [0, 1]);
  await page.getByRole('navigation', { name: 'API keys by status' }).getByRole('link', { name: /^Revoked Keys\s+1/ }).click();
  await row(page, made).waitFor();
  assert.equal(await row(page, made).getAttribute('data-status'), 'revoked');
  const words = await row(page, made).textContent();
  for (const expected of [ADMIN.name, 'Compromised']) assert.ok(words.includes(expected), `${expected} in ${words}`);
});

journey('an admin finds who revoked it in the drawer', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const made = await addKey(page, ERP);
  const other = await addKey(page, 'Reporting Dashboard');
  await revokeKey(page, made, 'owner-left', '');

  await page.goto(KEYS);
  await page.getByRole('link', { name: 'Audit trail', exact: true }).click();
  await overlay(page).getByRole('heading', { name: 'Audit trail' }).waitFor();
  await page.waitForURL('**?audit=open');
  await ready(page);
  const revocation = overlay(page).locator(events(page, 'api_key.revoked', made));
  assert.match(await revocation.textContent(), new RegExp(`${ADMIN.name}\\s+revoked\\s+${ERP}`));
  assert.equal(await revocation.locator('time').count(), 1);
  const actions = await overlay(page).locator('[data-event-id]').evaluateAll((all) => all.map((event) => event.dataset.action));
  assert.deepEqual(actions, ['api_key.revoked', 'api_key.created', 'api_key.created']);

  await open(page, `${KEYS}?audit=open&key=${made.id}`);
  assert.equal(await overlay(page).locator(events(page, 'api_key.created', made)).count(), 1);
  assert.equal(await overlay(page).locator(events(page, 'api_key.created', other)).count(), 0);
});

journey('a reload of the page that showed the key shows it no more and makes no second key', async (keydesk, arrive) => {
  const { page } = await arrive();
  await setUp(page, keydesk);
  const made = await addKey(page, ERP);

  const answer = await page.reload();
  assert.deepEqual([answer.request().method(), answer.status()], ['POST', 409]);
  await page.getByText('This key was already shown.').waitFor();
  assert.equal(await page.locator('#new-key').count(), 0);
  assert.ok(!(await page.content()).includes(made.key));

  await page.goto(`${KEYS}?audit=open`);
  assert.equal(await page.locator('tr[data-key-id]').count(), 1);
  assert.equal(await page.locator('[data-event-id][data-action="api_key.created"]').count(), 1);
  assert.equal((await keydesk.whoami(made.key)).status, 200);
});

journey('an auditor sees everything and can change nothing', async (keydesk, arrive) => {
  const admin = await arrive();
  await setUp(admin.page, keydesk);
  const active = await addKey(admin.page, ERP);
  const revoked = await addKey(admin.page, 'Reporting Dashboard');
  await revokeKey(admin.page, revoked, 'no-longer-used', '');
  await addUser(keydesk, AUDITOR);

  const auditor = await arrive();
  const { page } = auditor;
  await signIn(page, AUDITOR);
  await row(page, active).waitFor();
  const offers = page.locator('a:is([href$="/new"], [href$="/revoke"], [href$="/edit"], [href$="/rotate"], [href$="/role"], [href$="/delete"]), form[method="post"]:not([action="/sign-out"])');
  assert.equal(await offers.count(), 0);
  await page.goto(`${KEYS}?tab=revoked`);
  await row(page, revoked).waitFor();
  await page.goto(`${KEYS}?audit=open`);
  await events(page, 'api_key.revoked', revoked).waitFor();
  assert.equal(await offers.count(), 0);

  await page.goto(USERS);
  const person = await page.locator('tr[data-user-id]').first().getAttribute('data-user-id');
  await page.goto(`${AUDIT_TRAIL}?action=api_key.revoked`);
  const revocation = await page.locator('tr[data-event-id]').getAttribute('data-event-id');
  const place = (path) => path.replace('{id}', path.startsWith(KEYS) ? active.id : path.startsWith(USERS) ? person : revocation);
  for (const { method, path } of (await routes()).filter((route) => route.path.startsWith('/administration/'))) {
    const where = place(path);
    if (method === 'POST') {
      // Which key somebody has found may be asked by anybody who is signed in.
      const expected = path.endsWith('/identify') ? 422 : 403;
      assert.equal((await auditor.post(where, {})).status(), expected, `POST ${path}`);
    } else if (path.includes('export') || /\/(checkpoint|public-key)$/.test(path)) {
      assert.equal((await page.request.get(where)).status(), 200, path);
    } else if (/\/(new|revoke|edit|rotate|role|delete)$/.test(path)) {
      assert.equal((await page.goto(where)).status(), 403, path);
      await page.getByText('You need to be an administrator to do this.').waitFor();
    } else {
      assert.equal((await open(page, where)).status(), 200, path);
      assert.equal(await offers.count(), 0, path);
    }
  }
  // The same posts are welcome from an admin, whose only fault is the empty name.
  assert.equal((await admin.post(KEYS, { name: '' })).status(), 422);
  assert.equal((await auditor.post(KEYS, { name: 'Made by an auditor' })).status(), 403);
  assert.equal((await auditor.post(`${KEYS}/${active.id}/revoke`, { reason: 'compromised' })).status(), 403);
  assert.equal((await keydesk.whoami(active.key)).status, 200);
  await page.goto(KEYS);
  assert.equal(await page.locator('tr[data-key-id]').count(), 1);
});

journey('signing out ends the session', async (keydesk, arrive) => {
  const visitor = await arrive();
  const { page } = visitor;
  await setUp(page, keydesk);
  const cookies = await visitor.cookies();
  const [session] = cookies.filter(({ name }) => name === 'keydesk');
  assert.deepEqual([session.httpOnly, session.sameSite, session.path, session.expires], [true, 'Lax', '/', -1]);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');

  // The cookie as it was, in another browser: the session is over, not only forgotten here.
  const thief = await arrive();
  await thief.carry(cookies);
  for (const { page: each } of [visitor, thief]) {
    await each.goto(KEYS);
    const { pathname, searchParams } = new URL(each.url());
    assert.deepEqual([pathname, searchParams.get('next')], ['/sign-in', KEYS]);
  }

  await page.getByLabel('Email').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**${KEYS}`);
});
