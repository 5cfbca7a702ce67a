import test from 'ava';
import { htmlReport } from '../../reports/html.js';
import { runResultJson, stableJson, verdictJson } from '../../reports/json.js';
import { junitXml } from '../../reports/junit.js';
import { aRun, hpa, hpaWavetank } from './fixtures.js';

const evil = '<script>alert("x")</script>&\'';
const expectations = ['p95(latency) <= 1us', 'survives(any node)', 'p99(latency{service="nobody"}) < 1s'];

test('JSON has one order of keys, the version first', (t) => {
  t.is(
    stableJson({ b: 1, kind: 'X', a: [{ d: null, c: 2 }], apiVersion: 'v' }),
    '{"apiVersion":"v","kind":"X","a":[{"c":2,"d":null}],"b":1}',
  );
  t.deepEqual(JSON.parse(runResultJson(aRun())), JSON.parse(JSON.stringify(aRun())));
});

test('what JSON cannot hold stops with its path', (t) => {
  t.throws(() => stableJson({ a: [Number.NaN] }), { message: /\$\.a\[0\] is NaN/ });
  t.throws(() => stableJson({ a: undefined }), { message: /\$\.a is undefined/ });
});

test('the verdict for machines says passed where it passed, and only there', (t) => {
  const parsed = JSON.parse(verdictJson([aRun({ expectations, policies: [hpa] })])) as {
    scenarios: { verdict: string; gates: { passed: boolean }[] }[];
  };
  t.is(parsed.scenarios[0]?.verdict, 'failed');
  t.deepEqual(
    parsed.scenarios[0]?.gates.map((gate) => gate.passed),
    [false, true, false],
  );
});

test('JUnit counts failed, skipped and broken, and escapes what it is given', (t) => {
  const xml = junitXml([{ result: aRun({ expectations, policies: [hpa] }) }, { name: `${evil}\u0000`, error: 'a\nb' }]);
  t.regex(xml, /<testsuites name="wavetank" tests="4" failures="1" errors="1" skipped="1">/);
  t.false(xml.includes('<script'));
  t.false(xml.includes('\u0000'));
  t.regex(xml, /<error message="a&#10;b"\/>/);
  t.regex(xml, /<skipped message="gate p99/);
});

test('the page runs no script, loads nothing, and escapes every name', async (t) => {
  const policies = [
    { ...hpa, policy: `hpa${evil}` },
    { ...hpaWavetank, policy: `hpa+wavetank${evil}` },
  ];
  const run = aRun({
    services: [`a${evil}`, `b${evil}`, 'c'],
    zones: [`z${evil}`, 'y'],
    policies,
    notices: [evil],
    expectations,
  });
  const html = await htmlReport({ ...run, command: evil, scenario: { ...run.scenario, name: evil, why: evil } });
  t.false(/<script/iu.test(html));
  t.regex(html, /default-src 'none'; style-src 'unsafe-inline'; img-src data:/);
  t.deepEqual(html.match(/(?:src|href)="(?!#|data:)[^"]*"/gu), null);
  t.deepEqual(html.match(/ on[a-z]+="/gu), null);
});

test('the same record makes the same bytes, however many pages came before', async (t) => {
  const first = await htmlReport(aRun({ expectations }));
  await htmlReport(aRun({ seeds: [1] }));
  t.is(await htmlReport(aRun({ expectations })), first);
});

test('ids in the page are unique, so that no drawing is cut by the clip path of another', async (t) => {
  const html = await htmlReport(aRun());
  const ids = [...html.matchAll(/ id="([^"]*)"/gu)].map((match) => match[1]);
  t.is(new Set(ids).size, ids.length);
});

test('the data in the page is the record', async (t) => {
  const html = await htmlReport(aRun());
  const data = /data:application\/json;base64,([^"]*)"/u.exec(html)?.[1] ?? '';
  t.deepEqual(JSON.parse(Buffer.from(data, 'base64').toString('utf8')), JSON.parse(JSON.stringify(aRun())));
});

test('a page is made of one policy and one seed, without faults, gates or moves', async (t) => {
  const html = await htmlReport(aRun({ policies: [hpa], seeds: [7], fault: false, services: ['only'] }));
  t.regex(html, /No gates were set/);
  t.false(/NaN|undefined|Infinity/u.test(html));
});

test('a run too short for a point of its series has a sentence instead of empty axes', async (t) => {
  const html = await htmlReport(aRun({ policies: [hpa], seeds: [7], fault: false, durationSeconds: 5 }));
  t.regex(html, /Nothing to draw/);
  t.notRegex(html, /NaN|Infinity/);
});
