// The main tasks of admins and auditors, with JavaScript and without.

import assert from 'node:assert/strict';
import { e2e } from './support/e2e.mjs';
import { routes } from './support/routes.mjs';
import { ADMIN, AUDITOR, AUDIT_TRAIL, COMPANY, KEYS, USERS, addKey, addUser, events, open, overlay, preview, revokeKey, row, setUp, signIn } from './support/steps.mjs';
import { ready } from './support/client.mjs';

const ERP = 'ERP Sync Service';

e2e('an admin sets up the company, adds a key and sees it once', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  assert.equal(await page.title(), `API Keys – Company Settings – ${COMPANY}`);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();

  const created = await addKey(page, ERP);
  assert.match(created.key, /^goa_[0-9A-Za-z]{38}$/);
  assert.equal(await page.locator('#new-key').count(), 1);
  const { status, body } = await keydesk.whoami(created.key);
  assert.deepEqual([status, body.key_id, body.service_account.name, body.company.name], [200, created.id, ERP, COMPANY]);

  await page.getByRole('link', { name: 'I’ve saved this key' }).click();
  await page.waitForURL(`**#key-${created.id}`);
  assert.equal(await page.locator('#new-key').count(), 0);
  assert.equal(await row(page, created).getAttribute('data-status'), 'active');
  assert.equal(await row(page, created).getByRole('rowheader').textContent(), ERP);
  assert.equal(await row(page, created).getByText(preview(created.key), { exact: true }).count(), 1);

  for (const path of [KEYS, `${KEYS}?tab=revoked`, `${KEYS}?audit=open`, `${KEYS}/audit-trail`, `${KEYS}/${created.id}/revoke`, `${KEYS}/new`]) {
    await page.goto(path);
    assert.ok(!(await page.content()).includes(created.key), `${path} shows the key again`);
  }
});

e2e('an admin revokes a key, and its client is refused', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, ERP);
  const other = await addKey(page, 'Reporting Dashboard');
  assert.equal((await keydesk.whoami(created.key)).status, 200);

  await revokeKey(page, created, 'compromised', 'Found in a public repository');
  const refused = await keydesk.whoami(created.key);
  assert.deepEqual([refused.status, refused.challenge], [401, 'Bearer error="invalid_token"']);
  assert.equal((await keydesk.whoami(other.key)).status, 200);

  await page.goto(KEYS);
  assert.deepEqual([await row(page, created).count(), await row(page, other).count()], [0, 1]);
  await page.getByRole('navigation', { name: 'API keys by status' }).getByRole('link', { name: /^Revoked Keys\s+1/ }).click();
  await row(page, created).waitFor();
  assert.equal(await row(page, created).getAttribute('data-status'), 'revoked');
  const words = await row(page, created).textContent();
  for (const expected of [ADMIN.name, 'Compromised']) assert.ok(words.includes(expected), `${expected} in ${words}`);
});

e2e('an admin finds in the drawer who revoked a key', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, ERP);
  const other = await addKey(page, 'Reporting Dashboard');
  await revokeKey(page, created, 'owner-left', '');

  await page.goto(KEYS);
  await page.getByRole('link', { name: 'Audit trail', exact: true }).click();
  await overlay(page).getByRole('heading', { name: 'Audit trail' }).waitFor();
  await page.waitForURL('**?audit=open');
  await ready(page);
  const revocation = overlay(page).locator(events(page, 'api_key.revoked', created));
  assert.match(await revocation.textContent(), new RegExp(`${ADMIN.name}\\s+revoked\\s+${ERP}`));
  assert.equal(await revocation.locator('time').count(), 1);
  const actions = await overlay(page).locator('[data-event-id]').evaluateAll((all) => all.map((event) => event.dataset.action));
  assert.deepEqual(actions, ['api_key.revoked', 'api_key.created', 'api_key.created']);

  await open(page, `${KEYS}?audit=open&key=${created.id}`);
  assert.equal(await overlay(page).locator(events(page, 'api_key.created', created)).count(), 1);
  assert.equal(await overlay(page).locator(events(page, 'api_key.created', other)).count(), 0);
});

e2e('reloading the page of a new key neither shows it nor creates another one', async (keydesk, newClient) => {
  const { page } = await newClient();
  await setUp(page, keydesk);
  const created = await addKey(page, ERP);

  const answer = await page.reload();
  assert.deepEqual([answer.request().method(), answer.status()], ['POST', 409]);
  await page.getByText('This key was already shown.').waitFor();
  assert.equal(await page.locator('#new-key').count(), 0);
  assert.ok(!(await page.content()).includes(created.key));

  await page.goto(`${KEYS}?audit=open`);
  assert.equal(await page.locator('tr[data-key-id]').count(), 1);
  assert.equal(await page.locator('[data-event-id][data-action="api_key.created"]').count(), 1);
  assert.equal((await keydesk.whoami(created.key)).status, 200);
});

e2e('an auditor sees everything and cannot change anything', async (keydesk, newClient) => {
  const admin = await newClient();
  await setUp(admin.page, keydesk);
  const active = await addKey(admin.page, ERP);
  const revoked = await addKey(admin.page, 'Reporting Dashboard');
  await revokeKey(admin.page, revoked, 'no-longer-used', '');
  await addUser(keydesk, AUDITOR);

  const auditor = await newClient();
  const { page } = auditor;
  await signIn(page, AUDITOR);
  await row(page, active).waitFor();
  const changes = page.locator('a:is([href$="/new"], [href$="/revoke"], [href$="/end"], [href$="/edit"], [href$="/rotate"], [href$="/role"], [href$="/delete"], [href$="/invitation"]), form[method="post"]:not([action="/sign-out"])');
  assert.equal(await changes.count(), 0);
  await page.goto(`${KEYS}?tab=revoked`);
  await row(page, revoked).waitFor();
  await page.goto(`${KEYS}?audit=open`);
  await events(page, 'api_key.revoked', revoked).waitFor();
  assert.equal(await changes.count(), 0);

  await page.goto(USERS);
  const person = await page.locator('tr[data-user-id]').first().getAttribute('data-user-id');
  await page.goto(`${KEYS}/${active.id}`);
  const account = await page.locator('#service-account-id').textContent();
  await page.goto(`${AUDIT_TRAIL}?action=api_key.revoked`);
  const revocation = await page.locator('tr[data-event-id]').getAttribute('data-event-id');
  const withId = (path) => path.replace('{id}', path.startsWith(KEYS) ? active.id : path.includes('/service-accounts/') ? account : path.startsWith(USERS) ? person : revocation);
  for (const { method, path } of (await routes()).filter((route) => route.path.startsWith('/administration/'))) {
    const address = withId(path);
    if (method === 'POST') {
      // Every signed-in user may identify a key.
      const expected = path.endsWith('/identify') ? 422 : 403;
      assert.equal((await auditor.post(address, {})).status(), expected, `POST ${path}`);
    } else if (path.includes('export') || /\/(checkpoint|public-key|usage\.csv|first-request)$/.test(path)) {
      const expected = path.endsWith('/first-request') ? 204 : 200;
      assert.equal((await page.request.get(address)).status(), expected, path);
    } else if (/\/(new|revoke|end|edit|rotate|role|delete|invitation)$/.test(path)) {
      assert.equal((await page.goto(address)).status(), 403, path);
      await page.getByText('You need to be an administrator to do this.').waitFor();
    } else {
      assert.equal((await open(page, address)).status(), 200, path);
      assert.equal(await changes.count(), 0, path);
    }
  }
  // The same request by an admin is accepted, apart from the empty name.
  assert.equal((await admin.post(KEYS, { name: '' })).status(), 422);
  assert.equal((await auditor.post(KEYS, { name: 'Made by an auditor' })).status(), 403);
  assert.equal((await auditor.post(`${KEYS}/${active.id}/revoke`, { reason: 'compromised' })).status(), 403);
  assert.equal((await keydesk.whoami(active.key)).status, 200);
  await page.goto(KEYS);
  assert.equal(await page.locator('tr[data-key-id]').count(), 1);
});

e2e('signing out ends the session', async (keydesk, newClient) => {
  const client = await newClient();
  const { page } = client;
  await setUp(page, keydesk);
  const cookies = await client.cookies();
  const [session] = cookies.filter(({ name }) => /^keydesk-\d+$/.test(name));
  assert.deepEqual([session.httpOnly, session.sameSite, session.path, session.expires], [true, 'Lax', '/', -1]);

  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/sign-in');

  // The same cookie in another browser: the session has ended on the server.
  const thief = await newClient();
  await thief.addCookies(cookies);
  for (const { page: each } of [client, thief]) {
    await each.goto(KEYS);
    const { pathname, searchParams } = new URL(each.url());
    assert.deepEqual([pathname, searchParams.get('next')], ['/sign-in', KEYS]);
  }

  await page.getByLabel('Email').fill(ADMIN.email);
  await page.getByLabel('Password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**${KEYS}`);
});
