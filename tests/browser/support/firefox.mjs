// Starts Debian's Firefox, controlled by WebDriver BiDi.

import puppeteer from 'puppeteer-core';
import { TEST_TIMEOUT, ACTION_TIMEOUT } from './timeouts.mjs';

const program = process.env.FIREFOX_BIN ?? '/usr/bin/firefox-esr';

export function launchFirefox() {
  return puppeteer.launch({ browser: 'firefox', executablePath: program, headless: true, timeout: ACTION_TIMEOUT, protocolTimeout: TEST_TIMEOUT });
}
