// The installations that the scenes play in, and who is signed in there.

import { Keydesk } from './keydesk.mjs';
import { ADMIN, AUDITOR, KEY_POLICY, SECOND_FACTOR, addKey, addUser, open, overlay, revokeKey, setUp, setUpSecondFactor, signIn } from './steps.mjs';
import { Visitor, ready } from './visitor.mjs';

const AUDITOR_EMAIL = 'jonas.bakke@brightwater.example';
/** Whoever is `guarded`. */
export const GUARDED_EMAIL = 'tomasz.wojcik@brightwater.example';
/** Somebody in the company without keys. */
export const LONG_NAMED = {
  name: 'Hubert Blaine Wolfeschlegelsteinhausenbergerdorff',
  email: 'hubert.blaine.wolfeschlegelsteinhausenbergerdorff@administration-of-the-northern-warehouses.brightwater.example',
  role: 'auditor',
  password: 'nine barrels beside a patient mule',
};

/** As long as a name may be, and without a place to break at. */
export const LONG = 'Wolfeschlegelsteinhausenbergerdorffschetransportversicherungsamt';
/** “Warehouse synchronisation service”, with Latin letters and figures in it. */
export const RIGHT_TO_LEFT = 'خدمة مزامنة المستودع (ERP) 2';

/**
 * - `demo`: an admin of the sample company, with a second session open;
 * - `auditor`, `guarded`: there, too, an auditor and an admin with a second factor;
 * - `outside`: there, signed out;
 * - `empty`: the only admin of a company without keys;
 * - `doorstep`: there, signed out;
 * - `names`: an admin of a company where everything has a name that is hard to draw;
 * - `broken`: an admin of a company whose database holds no keys that could be read, and a user who is none;
 * - `required`: an admin who has to set a second factor up first;
 * - `strict`: an admin of another sample company, whose policy its keys do not keep;
 * - `unopened`: not set up.
 */
export class Stage {
  #browser;
  #places;

  static async build(browser) {
    const [demo, strict] = await Promise.all([Keydesk.demo(), Keydesk.demo()]);
    const [empty, required, unopened, names, broken] = await Promise.all(Array.from({ length: 5 }, () => Keydesk.fresh()));
    const stage = new Stage(browser, {
      demo: { keydesk: demo, cookies: [] },
      auditor: { keydesk: demo, cookies: [] },
      guarded: { keydesk: demo, cookies: [] },
      outside: { keydesk: demo, cookies: [] },
      empty: { keydesk: empty, cookies: [] },
      required: { keydesk: required, cookies: [] },
      strict: { keydesk: strict, cookies: [] },
      unopened: { keydesk: unopened, cookies: [] },
      doorstep: { keydesk: empty, cookies: [] },
      names: { keydesk: names, cookies: [] },
      broken: { keydesk: broken, cookies: [] },
    });
    const password = demo.said('Password');
    const admin = { email: demo.said('Email'), password };
    try {
      await stage.#enter('demo', (page) => signIn(page, admin));
      await stage.#enter('demo', (page) => signIn(page, admin));
      await stage.#enter('auditor', (page) => signIn(page, { email: AUDITOR_EMAIL, password }));
      await stage.#enter('guarded', async (page) => {
        await signIn(page, { email: GUARDED_EMAIL, password });
        await setUpSecondFactor(page);
      });
      await stage.#enter('strict', async (page) => {
        await signIn(page, { email: strict.said('Email'), password: strict.said('Password') });
        await page.goto(KEY_POLICY);
        await page.getByLabel('Keys expire after (default)').selectOption('90 days');
        await page.getByLabel('Longest lifetime allowed').selectOption('180 days');
        await page.getByLabel('Rotate keys every').selectOption('90 days');
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.getByRole('status').waitFor();
      });
      await stage.#enter('empty', (page) => setUp(page, empty));
      await addUser(empty, LONG_NAMED);
      await stage.#enter('required', async (page) => {
        await setUp(page, required);
        await page.goto(KEY_POLICY);
        await page.getByLabel('Require a second factor for administrators').check();
        await page.getByRole('button', { name: 'Save changes' }).click();
        await page.waitForURL(`**${SECOND_FACTOR}`);
      });
      await stage.#enter('names', (page) => nameHard(page, names));
      await stage.#enter('broken', (page) => setUp(page, broken));
      await addUser(broken, AUDITOR);
      await broken.tamper("ALTER TABLE api_keys RENAME TO hidden; UPDATE users SET role = 'nobody' WHERE role = 'auditor'");
    } catch (error) {
      await stage.strike();
      throw error;
    }
    return stage;
  }

  constructor(browser, places) {
    this.#browser = browser;
    this.#places = places;
  }

  async #enter(where, door) {
    const place = this.#places[where];
    const visitor = await Visitor.arrive(this.#browser, place.keydesk);
    await door(visitor.page);
    place.cookies = await visitor.cookies();
    await visitor.leave();
  }

  /** Opens the scene for a new visitor, who must leave. */
  async play({ where, open }, options) {
    const { keydesk, cookies } = this.#places[where];
    const visitor = await Visitor.arrive(this.#browser, keydesk, options);
    await visitor.carry(cookies);
    await open(visitor.page, keydesk);
    await ready(visitor.page);
    return visitor;
  }

  /** Brings another visitor to the page that this one is on. */
  async follow({ where }, { page, answer }, options) {
    const visitor = await Visitor.arrive(this.#browser, this.#places[where].keydesk, options);
    await visitor.carry(await page.context().cookies());
    await open(visitor.page, answer.url());
    return visitor;
  }

  async strike() {
    const running = new Set(Object.values(this.#places).map(({ keydesk }) => keydesk));
    await Promise.all([...running].map((keydesk) => keydesk.stop()));
  }
}

async function nameHard(page, keydesk) {
  await setUp(page, keydesk, { company: LONG, admin: { ...ADMIN, name: LONG } });
  await addUser(keydesk, { ...AUDITOR, name: RIGHT_TO_LEFT }, LONG);
  for (const name of [LONG, RIGHT_TO_LEFT]) await addKey(page, name);
  for (const ending of ['Altona', 'بغداد']) {
    const name = `${LONG.slice(0, 64 - ending.length)}${ending}`;
    await revokeKey(page, await addKey(page, name), 'superseded', `${LONG}${LONG}`);
  }
}

export const hasOverlay = async (page) => (await overlay(page).count()) > 0;
