// The installations of the scenes, and the signed-in users.

import { Keydesk } from './keydesk.mjs';
import { ADMIN, AUDITOR, KEY_POLICY, SECOND_FACTOR, addKey, addUser, open, overlay, revokeKey, setUp, setUpSecondFactor, signIn } from './steps.mjs';
import { Client, ready } from './client.mjs';

const AUDITOR_EMAIL = 'jonas.bakke@brightwater.example';
/** The user of the fixture `secondFactor`. */
export const SECOND_FACTOR_EMAIL = 'tomasz.wojcik@brightwater.example';
/** A user with a long name, in the company without keys. */
export const LONG_NAMED = {
  name: 'Hubert Blaine Wolfeschlegelsteinhausenbergerdorff',
  email: 'hubert.blaine.wolfeschlegelsteinhausenbergerdorff@administration-of-the-northern-warehouses.brightwater.example',
  role: 'auditor',
  password: 'nine barrels beside a patient mule',
};

/** A name of the maximum length without any break opportunity. */
export const LONG = 'Wolfeschlegelsteinhausenbergerdorffschetransportversicherungsamt';
/** “Warehouse synchronisation service”, with Latin letters and figures in it. */
export const RIGHT_TO_LEFT = 'خدمة مزامنة المستودع (ERP) 2';

/**
 * - `demo`: an admin of the sample company, with a second session;
 * - `auditor`, `secondFactor`: an auditor, and an admin with a second factor, of the same company;
 * - `signedOut`: the same company, signed out;
 * - `empty`: the only admin of a company without keys;
 * - `emptySignedOut`: the company without keys, signed out;
 * - `names`: an admin of a company with long and right-to-left names;
 * - `broken`: an admin of a company with unreadable keys and an invalid user;
 * - `secondFactorRequired`: an admin who has to set up a second factor first;
 * - `strict`: an admin of another sample company, whose keys violate its policy;
 * - `notSetUp`: an installation before set-up.
 */
export class Fixtures {
  #browser;
  #installations;

  static async build(browser) {
    const [demo, strict] = await Promise.all([Keydesk.demo(), Keydesk.demo()]);
    const [empty, secondFactorRequired, notSetUp, names, broken] = await Promise.all(Array.from({ length: 5 }, () => Keydesk.fresh()));
    const fixtures = new Fixtures(browser, {
      demo: { keydesk: demo, cookies: [] },
      auditor: { keydesk: demo, cookies: [] },
      secondFactor: { keydesk: demo, cookies: [] },
      signedOut: { keydesk: demo, cookies: [] },
      empty: { keydesk: empty, cookies: [] },
      secondFactorRequired: { keydesk: secondFactorRequired, cookies: [] },
      strict: { keydesk: strict, cookies: [] },
      notSetUp: { keydesk: notSetUp, cookies: [] },
      emptySignedOut: { keydesk: empty, cookies: [] },
      names: { keydesk: names, cookies: [] },
      broken: { keydesk: broken, cookies: [] },
    });
    const password = demo.output('Password');
    const admin = { email: demo.output('Email'), password };
    try {
      await fixtures.#prepare('demo', (page) => signIn(page, admin));
      await fixtures.#prepare('demo', (page) => signIn(page, admin));
      await fixtures.#prepare('auditor', (page) => signIn(page, { email: AUDITOR_EMAIL, password }));
      await fixtures.#prepare('secondFactor', async (page) => {
        await signIn(page, { email: SECOND_FACTOR_EMAIL, password });
        await setUpSecondFactor(page, password);
      });
      await fixtures.#prepare('strict', async (page) => {
        await signIn(page, { email: strict.output('Email'), password: strict.output('Password') });
        await page.goto(KEY_POLICY);
        await page.getByLabel('Default expiry').selectOption('90 days');
        await page.getByLabel('Maximum lifetime').selectOption('180 days');
        await page.getByLabel('Rotation reminder').selectOption('90 days');
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.getByRole('status').waitFor();
      });
      await fixtures.#prepare('empty', (page) => setUp(page, empty));
      await addUser(empty, LONG_NAMED);
      await fixtures.#prepare('secondFactorRequired', async (page) => {
        await setUp(page, secondFactorRequired);
        await page.goto(KEY_POLICY);
        await page.getByLabel('Require a second factor for administrators').check();
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.waitForURL(`**${SECOND_FACTOR}`);
      });
      await fixtures.#prepare('names', (page) => addHardNames(page, names));
      await fixtures.#prepare('broken', (page) => setUp(page, broken));
      await addUser(broken, AUDITOR);
      await broken.tamper("ALTER TABLE api_keys RENAME TO hidden; UPDATE users SET role = 'unknown' WHERE role = 'auditor'");
    } catch (error) {
      await fixtures.stop();
      throw error;
    }
    return fixtures;
  }

  constructor(browser, installations) {
    this.#browser = browser;
    this.#installations = installations;
  }

  async #prepare(fixture, signIn) {
    const installation = this.#installations[fixture];
    const client = await Client.open(this.#browser, installation.keydesk);
    await signIn(client.page);
    installation.cookies = await client.cookies();
    await client.close();
  }

  /** Opens a scene with a new client, which the caller closes. */
  async open({ fixture, open }, options) {
    const { keydesk, cookies } = this.#installations[fixture];
    const client = await Client.open(this.#browser, keydesk, options);
    await client.addCookies(cookies);
    await open(client.page, keydesk);
    await ready(client.page);
    return client;
  }

  /** Opens the page of a client with another client. */
  async openSamePage({ fixture }, { page, answer }, options) {
    const client = await Client.open(this.#browser, this.#installations[fixture].keydesk, options);
    await client.addCookies(await page.context().cookies());
    await open(client.page, answer.url());
    return client;
  }

  async stop() {
    const running = new Set(Object.values(this.#installations).map(({ keydesk }) => keydesk));
    await Promise.all([...running].map((keydesk) => keydesk.stop()));
  }
}

async function addHardNames(page, keydesk) {
  await setUp(page, keydesk, { company: LONG, admin: { ...ADMIN, name: LONG } });
  await addUser(keydesk, { ...AUDITOR, name: RIGHT_TO_LEFT }, LONG);
  for (const name of [LONG, RIGHT_TO_LEFT]) await addKey(page, name);
  for (const ending of ['Altona', 'بغداد']) {
    const name = `${LONG.slice(0, 64 - ending.length)}${ending}`;
    await revokeKey(page, await addKey(page, name), 'superseded', `${LONG}${LONG}`);
  }
}

export const hasOverlay = async (page) => (await overlay(page).count()) > 0;
