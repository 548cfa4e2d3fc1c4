// A running keydesk with a folder of its own: started, listened to, asked from the command line, stopped.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from './patience.mjs';

export const project = fileURLToPath(new URL('../../..', import.meta.url));
const program = resolve(project, process.env.KEYDESK_BIN ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug', 'keydesk'));

// The program refuses variables of its own name that it does not know, and what the shell has set is not the tests'.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KEYDESK_')));

const LONGEST_STOP = 10_000;

export class Keydesk {
  #process;
  #folder;
  #ended;
  #said = new Map();
  #log = '';

  /** Nobody has been here yet: `said('Set-up link')` is open. */
  static async fresh() {
    const folder = await mkdtemp(join(tmpdir(), 'keydesk-browser-'));
    return new Keydesk(['--data-dir', folder, '--listen', '127.0.0.1:0'], folder).#ready('Listening on', 'Set-up link');
  }

  /** The sample company; `said('Email')` and `said('Password')` open it. */
  static async demo() {
    return new Keydesk(['demo', '--listen', '127.0.0.1:0']).#ready('Listening on', 'Email', 'Password');
  }

  constructor(words, folder) {
    this.#folder = folder;
    this.#process = spawn(program, words, { cwd: project, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stderr.on('data', (text) => (this.#log = (this.#log + text).slice(-4000)));
    this.#ended = new Promise((end) => this.#process.once('exit', end).once('error', end));
    // A test that never came to stop it leaves nothing behind.
    const kill = () => this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.#ended.then(() => process.off('exit', kill));
  }

  #ready(...labels) {
    return new Promise((ready, fail) => {
      const give = (sentence) => fail(new Error(`${program} ${sentence}\n${this.#log}`));
      const timer = setTimeout(() => give(`did not say ${labels.join(', ')} in time`), PATIENCE);
      this.#ended.then((end) => give(`ended before it was ready: ${end}`)).finally(() => clearTimeout(timer));
      createInterface(this.#process.stdout).on('line', (line) => {
        const [, label, value] = /^(Listening on|[A-Z][\w-]*(?: [\w-]+)*:) ?(.*)$/.exec(line) ?? [];
        if (label) this.#said.set(label.replace(/:$/, ''), value);
        if (labels.every((each) => this.#said.has(each))) {
          clearTimeout(timer);
          ready(this);
        }
      });
    });
  }

  /** What it printed after a label. */
  said(label) {
    return this.#said.get(label);
  }

  get url() {
    return this.said('Listening on');
  }

  /** Another keydesk command on the same data, while the server runs. Gives what it printed. */
  async command(words, input = '') {
    const child = spawn(program, [...words, '--data-dir', this.#folder], { cwd: project, env: environment });
    let out = '';
    let err = '';
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (err += text));
    child.stdin.end(input);
    const code = await new Promise((end) => child.once('close', end));
    assert.equal(code, 0, `keydesk ${words.join(' ')}: ${err}`);
    return out;
  }

  /** Changes what the database holds behind the server's back, constraints or not. */
  async tamper(sql) {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(this.#folder, 'keydesk.db'), { timeout: 10_000 });
    database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
    database.close();
  }

  /** What a script with this key is answered. */
  async whoami(key) {
    const answer = await fetch(`${this.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.json() };
  }

  async stop() {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), LONGEST_STOP);
    this.#process.kill('SIGTERM');
    await this.#ended;
    clearTimeout(timer);
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
