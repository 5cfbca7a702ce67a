/** The seed of random tests: WAVETANK_SEED replays a run, CI passes one of its own; the default keeps runs alike. */
export const SEED = Number(process.env['WAVETANK_SEED'] ?? 20261123);

/** For titles and messages, so that a failure can be run again. */
export const SEED_NOTE = `(WAVETANK_SEED=${SEED})`;
