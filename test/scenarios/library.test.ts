import test from 'ava';
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { LIBRARY_NAMES, libraryScenarios } from '../../scenarios/library.js';
import { jsonSchema } from '../../scenarios/schema.js';
import { offeredLoad } from '../../scenarios/saturation.js';
import type { Scenario } from '../../scenarios/types.js';
import { load, small, SMALL } from './fixtures.js';

const FOLDER = 'scenarios/library';
const read = (fileName: string): string => readFileSync(`${FOLDER}/${fileName}`, 'utf8');

test('the library lists the files of its folder', (t) => {
  t.deepEqual(
    libraryScenarios()
      .map((scenario) => scenario.fileName)
      .sort(),
    readdirSync(FOLDER).sort(),
  );
});

for (const { name, fileName } of libraryScenarios()) {
  test(`${name} loads without a problem, says why, and is named like its file`, (t) => {
    const scenario = load(read(fileName), fileName);
    t.is(scenario.name, name);
    t.true(scenario.why.length > 40);
  });

  test(`${name} announces saturation only where it means to`, (t) => {
    const notices = load(read(fileName), fileName).notices.map((notice) => notice.code);
    const meant: Readonly<Record<string, readonly string[]>> = {
      'diurnal-with-burst': ['WT0501', 'WT0501'],
      'node-autoscaling': ['WT0504', 'WT0501'],
      'order-queue': ['WT0501'],
    };
    t.deepEqual(notices, meant[name] ?? []);
  });

  test(`${name} is cheap: at most five million requests and six million spans in all`, (t) => {
    const scenario = load(read(fileName), fileName);
    const runs = scenario.policies.length * scenario.run.replications;
    const { requests, spans } = workOfOneRun(scenario);
    t.true(requests * runs <= 5e6, `${requests * runs}`);
    t.true(spans * runs <= 6e6, `${spans * runs}`);
  });

  test(`${name} is valid by the exported JSON Schema`, (t) => {
    const validate = new Ajv2020({ strict: false }).compile(jsonSchema('Scenario'));
    t.true(validate(parse(read(fileName))), JSON.stringify(validate.errors));
  });
}

test('the JSON Schema is of draft 2020-12, describes its keys, and refuses what the loader refuses', (t) => {
  const schema = jsonSchema('Scenario');
  t.is(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  const validate = new Ajv2020({ strict: false }).compile(schema);
  t.true(validate(parse(SMALL)));
  for (const [piece, by] of [
    ['workers: 4', 'wrokers: 4'],
    ['cpu: 20ms', 'cpu: 20'],
    ['rate: 100/s', 'rate: 100'],
    ['count: 2', 'count: -2'],
    ['probability: 0.5', 'probability: 50'],
  ] as const) {
    t.false(validate(parse(small([piece, by]))), by);
  }
});

test('twelve services and three loads of irregular-twelve stay below 75 %', (t) => {
  const scenario = load(read('irregular-twelve.yaml'));
  t.is(scenario.services.length, 12);
  for (const offered of offeredLoad(scenario)) {
    t.true(offered.requestsPerSecond > 0);
    t.true(offered.busyWorkers / offered.workers < 0.75);
    if (offered.cores !== null) t.true(offered.busyCores / offered.cores < 0.75);
  }
});

test('chain-of-three is offered 80 % of every worker', (t) => {
  for (const offered of offeredLoad(load(read('chain-of-three.yaml'))))
    t.is(Number((offered.busyWorkers / offered.workers).toFixed(9)), 0.8);
});

test('hot-zone offers its four pods of zone a more than they can do, and the whole less than the target', (t) => {
  const scenario = load(read('hot-zone.yaml'));
  const [offered] = offeredLoad(scenario);
  t.is(Number((offered!.busyWorkers / offered!.workers).toFixed(4)), 0.5833); // 350/s x 80 ms / 48
  t.true((offered!.busyWorkers * scenario.loads[0]!.from[0]!.shares[0]!) / (offered!.workers / 3) > 1.2); // 19.6 of 16
  t.deepEqual(
    scenario.policies.map((policy) => policy.name),
    ['hpa', 'hpa-hard-spread', 'hpa-per-zone', 'hpa-no-locality', 'hpa+wavetank'],
  );
});

test('online-boutique has the calls and CPU of the recording', (t) => {
  // Measured in the recording: requests a second of each service over those of the frontend, and CPU milliseconds per call.
  const measured = {
    productcatalog: [5.444, 1.643],
    currency: [3.025, 4.846],
    cart: [0.963, 2.281],
    recommendation: [0.7142, 2.206],
    ad: [0.5749, 2.401],
    shipping: [0.2833, 2.187],
    checkout: [0.0347, 42.738],
  };
  const scenario = load(read('online-boutique.yaml'));
  const offered = offeredLoad(scenario);
  const entry = offered[0]!.requestsPerSecond;
  for (const [name, [calls, cpuMs]] of Object.entries(measured)) {
    const { requestsPerSecond, busyCores } = offered[scenario.services.findIndex((service) => service.name === name)]!;
    t.true(Math.abs(requestsPerSecond / entry / calls! - 1) < 0.04, name);
    t.true(Math.abs((busyCores / requestsPerSecond) * 1000 - cpuMs!) < 1e-9, name);
  }
});

test('names are listed once', (t) => t.is(new Set(LIBRARY_NAMES).size, LIBRARY_NAMES.length));

/** External requests and spans of one policy and seed, warm-up included. */
function workOfOneRun(scenario: Scenario): { requests: number; spans: number } {
  const endUs = scenario.run.warmUpUs + scenario.run.durationUs;
  let requests = 0;
  let peak = 0;
  for (const { rate } of scenario.loads) {
    peak += Math.max(...rate.map((point) => point.perSecond));
    for (const [index, from] of rate.entries()) {
      const to = rate[index + 1] ?? { atUs: endUs, perSecond: from.perSecond };
      requests += (((from.perSecond + to.perSecond) / 2) * Math.max(0, to.atUs - from.atUs)) / 1e6;
    }
  }
  const offered = offeredLoad(scenario).reduce((sum, service) => sum + service.requestsPerSecond, 0);
  return { requests, spans: (requests * offered) / peak };
}
