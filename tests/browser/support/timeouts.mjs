// Timeouts in milliseconds. They are long enough for a busy machine, and cost nothing while the tests pass.

/** For one action. */
export const ACTION_TIMEOUT = 60_000;
/** For a whole test. */
export const TEST_TIMEOUT = 300_000;
