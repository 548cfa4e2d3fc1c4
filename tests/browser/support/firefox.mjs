// Firefox as Debian has it, spoken to by WebDriver BiDi.

import puppeteer from 'puppeteer-core';
import { LONGEST_TEST, PATIENCE } from './patience.mjs';

const program = process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr';

export function launchFirefox() {
  return puppeteer.launch({ browser: 'firefox', executablePath: program, headless: true, timeout: PATIENCE, protocolTimeout: LONGEST_TEST });
}
