/**
 * Every code has an explanation and every explanation a code. The codes are read from the sources that use them, so that a
 * new one without an explanation, or an old explanation without a code, is noticed.
 */
import test from 'ava';
import { readdirSync, readFileSync } from 'node:fs';
import { decisionKinds, skipReasons, verdicts } from '../../cli/explanations/engine.js';
import { responseFlags } from '../../cli/explanations/flags.js';
import { findCode, groups, nearestCode } from '../../cli/explanations/index.js';
import { PROBLEM_CODES } from '../../scenarios/problems.js';
import { CAUSE_NAMES } from '../../sim/spans.js';

/** The words of a union type: `type Name = 'a' | 'b';` */
function unionOf(file: string, name: string): string[] {
  const body = new RegExp(`type ${name} =([^;]*);`).exec(readFileSync(file, 'utf8'))![1]!;
  return [...body.matchAll(/'([^']+)'/g)].map(([, word]) => word!);
}

const sorted = (words: Iterable<string>): string[] => [...new Set(words)].sort();

test('every reason to leave a workload alone is explained, and no other', (t) => {
  const codes = unionOf('engine/types.ts', 'SkipReason');
  t.true(codes.length >= 23);
  t.deepEqual(sorted(Object.keys(skipReasons)), sorted(codes));
});

test('every kind of decision is explained, and no other', (t) => {
  const source = readFileSync('engine/types.ts', 'utf8');
  const codes = [...source.matchAll(/extends DecisionBase \{\s+readonly kind: '(\w+)'/g)].map(([, kind]) => kind!);
  t.true(codes.length >= 4);
  t.deepEqual(sorted(Object.keys(decisionKinds)), sorted(codes));
});

test('every verdict is explained, and no other', (t) => {
  t.deepEqual(sorted(Object.keys(verdicts)), sorted(unionOf('reports/gates.ts', 'Verdict')));
});

test('every flag of a run record is explained, and what claims to stand in one does', (t) => {
  const own = Object.keys(responseFlags).filter((flag) => responseFlags[flag]!.simulated);
  t.deepEqual(sorted(own), sorted(CAUSE_NAMES.filter((name) => name !== '')));
  // Of Envoy's own, those that people meet most.
  for (const flag of ['UH', 'UF', 'UO', 'UC', 'UT', 'FI', 'NR', 'NC', 'DI', 'DC', 'URX'])
    t.true(flag in responseFlags, flag);
});

test('every problem code in the sources is explained, and every explained one is used', (t) => {
  const files = ['scenarios', 'cli', 'reports', 'traces'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
  const used = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    // In problems.ts a code is the key of its own explanation: that is no use of it.
    return file === 'scenarios/problems.ts' ? [] : (text.match(/\bWT\d{4}\b/g) ?? []);
  });
  t.deepEqual(sorted(used), sorted(PROBLEM_CODES));
});

test('no code stands in two groups, and each says something of its own', (t) => {
  const codes = groups.flatMap((group) => group.codes.map((code) => code.toLowerCase()));
  t.is(new Set(codes).size, codes.length);
  const texts = groups.flatMap((group) =>
    group.codes.map((code) => {
      const text = group.textOf(code);
      if (typeof text === 'string') return text;
      for (const part of [text.meaning, text.cause, text.remedy]) t.regex(part, /^.{7,}\.$/s, code);
      return text.meaning;
    }),
  );
  t.is(new Set(texts).size, texts.length);
});

test('codes are found in any case, and slips of the fingers lead to the nearest', (t) => {
  t.is(findCode('ATMAXREPLICAS')?.code, 'atMaxReplicas');
  t.is(findCode('wt0201')?.code, 'WT0201');
  t.is(findCode('uo')?.code, 'UO');
  t.is(findCode('constructor'), null);
  t.is(nearestCode('atMaxReplica'), 'did you mean "atMaxReplicas"?');
  t.is(nearestCode('WT021'), 'did you mean "WT0201"?');
});
