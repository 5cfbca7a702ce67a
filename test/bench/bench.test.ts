/** Every benchmark at a tiny size, so that none can rot. Nothing here looks at a clock. */
import test from 'ava';
import { hold } from './hold.js';
import { timeScenario } from './scenarios.js';

test('the hold model takes the same events every time', (t) => {
  t.is(hold(100, 10_000).checksum, hold(100, 10_000).checksum);
});

for (const name of ['chain-of-three', 'irregular-twelve']) {
  test(`${name} runs for two seconds and gives the same bytes again`, (t) => {
    const jitter = { kind: 'lognormal', mean: 1, cv: 0.2 } as const;
    t.is(timeScenario(name, 2, jitter).digest, timeScenario(name, 2, jitter).digest);
    t.not(timeScenario(name, 2, jitter).digest, timeScenario(name, 2, null).digest);
  });
}
