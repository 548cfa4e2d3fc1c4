// An authenticator app (RFC 6238).

import { createHmac } from 'node:crypto';

const PERIOD = 30_000;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export class Authenticator {
  #key;

  /** `secret` is base32, as the set-up page shows it. */
  constructor(secret) {
    const bits = [...secret].map((digit) => ALPHABET.indexOf(digit).toString(2).padStart(5, '0')).join('');
    this.#key = Buffer.from(bits.match(/[01]{8}/g).map((byte) => parseInt(byte, 2)));
  }

  code() {
    return this.#at(Date.now());
  }

  /** The next code, as a code can only be used once. */
  nextCode() {
    return this.#at(Date.now() + PERIOD);
  }

  #at(time) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(time / PERIOD)));
    const digest = createHmac('sha1', this.#key).update(counter).digest();
    const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, '0');
  }
}
