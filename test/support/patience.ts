/**
 * How long a test waits for what must come: far longer than a loaded machine needs, and shorter than mocha's own patience
 * (`.mocharc`), so that a failure says what was awaited. A test that passes costs none of it.
 */
export const patienceMs = 60_000
