// How long the tests wait for what must happen. It costs nothing where it happens, so it is as long as a machine with better
// things to do may take.

/** For one thing, in milliseconds. */
export const PATIENCE = 60_000;
/** For all that a test is about. */
export const LONGEST_TEST = 300_000;
