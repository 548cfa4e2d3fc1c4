// A Keydesk server with its own data folder.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ACTION_TIMEOUT } from './timeouts.mjs';

export const project = fileURLToPath(new URL('../../..', import.meta.url));
const program = resolve(project, process.env.KEYDESK_BIN ?? join(process.env.CARGO_TARGET_DIR ?? 'target', 'debug', 'keydesk'));

// The program refuses unknown KEYDESK_ variables, and the tests ignore those of the shell.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KEYDESK_')));

const STOP_TIMEOUT = 10_000;

export class Keydesk {
  #process;
  #folder;
  #ended;
  #output = new Map();
  #log = '';

  /** An empty installation. `output('Set-up link')` is its set-up page. */
  static async fresh() {
    const folder = await mkdtemp(join(tmpdir(), 'keydesk-browser-'));
    return new Keydesk(['--data-dir', folder, '--listen', '127.0.0.1:0'], folder).#ready('Listening on', 'Set-up link');
  }

  /** The demo. `output('Email')` and `output('Password')` are the credentials of its admin. */
  static async demo(...words) {
    return new Keydesk(['demo', '--listen', '127.0.0.1:0', ...words]).#ready('Listening on', 'Email', 'Password');
  }

  constructor(words, folder) {
    this.#folder = folder;
    this.#process = spawn(program, words, { cwd: project, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stderr.on('data', (text) => (this.#log = (this.#log + text).slice(-4000)));
    this.#ended = new Promise((end) => this.#process.once('exit', end).once('error', end));
    // An aborted test run leaves no server behind.
    const kill = () => this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.#ended.then(() => process.off('exit', kill));
  }

  #ready(...labels) {
    return new Promise((ready, fail) => {
      const giveUp = (sentence) => fail(new Error(`${program} ${sentence}\n${this.#log}`));
      const timer = setTimeout(() => giveUp(`did not print ${labels.join(', ')} in time`), ACTION_TIMEOUT);
      this.#ended.then((end) => giveUp(`exited before it was ready: ${end}`)).finally(() => clearTimeout(timer));
      createInterface(this.#process.stdout).on('line', (line) => {
        const [, label, value] = /^(Listening on|[A-Z][\w-]*(?: [\w-]+)*:) ?(.*)$/.exec(line) ?? [];
        if (label) this.#output.set(label.replace(/:$/, ''), value);
        if (labels.every((each) => this.#output.has(each))) {
          clearTimeout(timer);
          ready(this);
        }
      });
    });
  }

  /** The text that the program printed after a label. */
  output(label) {
    return this.#output.get(label);
  }

  get url() {
    return this.output('Listening on');
  }

  /** Runs a command on the same data while the server runs. Returns its output. */
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

  /** Runs SQL without the server, ignoring check constraints. */
  async tamper(sql) {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(this.#folder, 'keydesk.db'), { timeout: 10_000 });
    database.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
    database.close();
  }

  /** Calls `/v1/whoami` with a key. */
  async whoami(key) {
    const answer = await fetch(`${this.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.json() };
  }

  async stop() {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_TIMEOUT);
    this.#process.kill('SIGTERM');
    await this.#ended;
    clearTimeout(timer);
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
  }
}
