/** What must not matter: names, and the order of keys. Replay a failure with WAVETANK_SEED. */
import test from 'ava';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { libraryScenarios } from '../../scenarios/library.js';
import { load, SMALL } from './fixtures.js';
import type { Scenario } from '../../scenarios/types.js';
import { SEED } from '../seed.js';

/** The record without its places in the file. */
function figures(scenario: Scenario): unknown {
  return {
    ...scenario,
    expectations: scenario.expectations.map((gate) => gate.text),
    notices: scenario.notices.map((notice) => notice.code),
  };
}

/** The same data with the keys of every mapping in another order, but for mappings whose order is one of policies. */
function shuffled(value: unknown, priorities: readonly number[], path = ''): unknown {
  if (Array.isArray(value)) return value.map((item, index) => shuffled(item, priorities, `${path}/${index}`));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, shuffled(inner, priorities, `${path}/${key}`)] as const,
  );
  if (path !== '/spec/policies') {
    const rank = (key: string): number =>
      priorities[(path.length * 31 + key.length * 7 + key.charCodeAt(0)) % priorities.length]!;
    entries.sort(([a], [b]) => rank(a) - rank(b));
  }
  return Object.fromEntries(entries);
}

const texts = [
  SMALL,
  ...libraryScenarios().map(({ fileName }) => readFileSync(`scenarios/library/${fileName}`, 'utf8')),
];

test(`the order of keys changes nothing (seed ${SEED})`, (t) => {
  const data = texts.map((text) => ({ data: parse(text) as unknown, record: figures(load(text)) }));
  fc.assert(
    fc.property(
      fc.nat(texts.length - 1),
      fc.array(fc.integer(), { minLength: 13, maxLength: 13 }),
      (which, priorities) => {
        const { data: original, record } = data[which]!;
        t.deepEqual(figures(load(JSON.stringify(shuffled(original, priorities)))), record);
      },
    ),
    { seed: SEED, numRuns: 40 },
  );
  t.pass();
});

test(`renaming services changes names in the record and nothing else (seed ${SEED})`, (t) => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/), { minLength: 2, maxLength: 2 });
  const before = load(SMALL);
  fc.assert(
    fc.property(names, ([first, second]) => {
      // Placeholders first, so that a new name that is an old one is not renamed again; the rule has a name of its own.
      const text = SMALL.replaceAll('checkout-rule', '@rule')
        .replaceAll('checkout', '@1')
        .replaceAll('ledger', '@2')
        .replaceAll('@rule', 'checkout-rule')
        .replaceAll('@1', JSON.stringify(first).slice(1, -1))
        .replaceAll('@2', second!);
      const renamed = load(
        text.replaceAll(`name: ${first}`, `name: "${first}"`).replaceAll(`name: ${second}`, `name: "${second}"`),
      );
      t.deepEqual(namesHidden(renamed), namesHidden(before));
      t.deepEqual(
        renamed.services.map((service) => service.name),
        [first, second],
      );
    }),
    { seed: SEED, numRuns: 60 },
  );
});

/** Hides the places of the record that hold a service's name: its own, those of loads, and hosts. */
function namesHidden(scenario: Scenario): unknown {
  return {
    ...scenario,
    services: scenario.services.map((service) => ({ ...service, name: '', labels: {} })),
    loads: scenario.loads.map((load) => ({ ...load, name: '' })),
    mesh: {
      ...scenario.mesh,
      destinationRules: scenario.mesh.destinationRules.map((rule) => ({
        ...rule,
        object: { ...rule.object, spec: { ...rule.object.spec, host: '' } },
      })),
    },
  };
}
