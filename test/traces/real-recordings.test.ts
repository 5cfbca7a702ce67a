/**
 * The two real recordings, read with the shipped mappings, learned from one part and compared with the other. Latency here
 * is computed without queues (both systems ran far below saturation); the simulator's own table stands in its tests.
 */
import { existsSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { fidelityTable } from '../../traces/fidelity.js';
import { fidelityText } from '../../traces/fidelity-text.js';
import { learnAndSplit, type Learned } from '../../traces/learn/learn-and-split.js';
import { predictedFigures } from '../../traces/learn/predicted-figures.js';
import { findMapping, readRecording } from '../../traces/read/read-recording.js';
import type { Recording } from '../../traces/recording.js';

function load(t: ExecutionContext, name: string): { recording: Recording; learned: Learned } | null {
  const folder = `../shared/data/${name}`;
  if (!existsSync(folder)) {
    t.log(`skipped: ${folder} is not here`);
    t.pass();
    return null;
  }
  const found = findMapping(folder, 'mappings');
  t.truthy(found, 'a shipped mapping fits the folder');
  const recording = readRecording(folder, (found as NonNullable<typeof found>).mapping);
  return { recording, learned: learnAndSplit(recording, { learn: null, replay: null, seed: 1 }) };
}

test('Online Boutique: rates, CPU and the entry latency of other hours follow from what was learned', (t) => {
  const loaded = load(t, 'nezha-online-boutique-0822');
  if (loaded === null) return;
  const { recording, learned } = loaded;
  // adservice's unix seconds are six years ahead; its printed time is not, so it must be there and complete.
  const ads = recording.series.find((series) => series.role === 'requestRate' && series.service === 'adservice');
  t.is(ads?.values.filter((value) => value !== null).length, 1209);
  t.is(recording.faults.length, 24);
  const fanOut = Object.fromEntries(
    learned.report.fanOut.map((edge) => [`${edge.source}>${edge.target}`, edge.callsPerRequest]),
  );
  t.log(fanOut);
  // By hand from the raw minute: an order has one charge, one mail, a quote and a shipment, two cart calls.
  t.is(fanOut['checkoutservice>paymentservice'], 1);
  t.is(fanOut['checkoutservice>shippingservice'], 2);
  t.is(fanOut['checkoutservice>cartservice'], 2);
  // 1407 calls of 479 requests in the raw minute = 2.94; the rates of ten hours say 3.00.
  t.true(Math.abs((fanOut['frontend>currencyservice'] ?? 0) - 3) < 0.06);
  const table = fidelityTable(learned.replayPart, predictedFigures(learned.scenario), learned.idleMillicores);
  t.log(fidelityText(table));
  const entry = table.rows.filter((row) => row.service === 'frontend');
  t.deepEqual(
    entry.filter((row) => row.verdict === 'miss'),
    [],
  );
  t.is(entry.filter((row) => row.verdict === 'pass').length, 4);
  t.deepEqual(
    table.rows.filter((row) => row.verdict === 'miss' && row.cause !== 'measurement'),
    [],
  );
  // Counterchecks: labels moved on by one, and latencies three times as long, must be visibly worse.
  const order = learned.replayPart.services;
  const permuted = {
    ...learned.replayPart,
    series: learned.replayPart.series.map((series) => ({
      ...series,
      service: order[(order.indexOf(series.service) + 1) % order.length] as string,
    })),
  };
  const scaled = {
    ...learned.replayPart,
    series: learned.replayPart.series.map((series) =>
      series.role === 'latency'
        ? { ...series, values: series.values.map((value) => (value === null ? null : 3 * value)) }
        : series,
    ),
  };
  const score = (part: Recording): number =>
    fidelityTable(part, predictedFigures(learned.scenario), learned.idleMillicores).score;
  t.log(
    `score ${table.score.toFixed(3)}, permuted ${score(permuted).toFixed(3)}, latencies x 3 ${score(scaled).toFixed(3)}`,
  );
  t.true(score(permuted) > 5 * table.score);
  t.true(score(scaled) > 2 * table.score);
});

test('PetShop: node rates follow from fan-outs solved over the graph', (t) => {
  const loaded = load(t, 'petshop-low_traffic');
  if (loaded === null) return;
  const { learned } = loaded;
  const fanOut = Object.fromEntries(
    learned.report.fanOut.map((edge) => [`${edge.source}>${edge.target}`, edge.callsPerRequest]),
  );
  // By hand: single callers are ratios of sums. 104.98 / 484.25 requests per 300 s = 0.217.
  t.true(Math.abs((fanOut['PetSite>payforadoption_AWS::ECS::Container'] ?? 0) - 0.217) < 0.003);
  t.is(learned.scenario.services.filter((service) => service.name.startsWith('invalid_')).length, 0);
  const table = fidelityTable(learned.replayPart, predictedFigures(learned.scenario), learned.idleMillicores);
  t.log(
    `rates ${table.medianError.rates}, latency ${table.medianError.latency}, ${table.passed} passed, ${table.missed} missed`,
  );
  t.true((table.medianError.rates ?? 1) < 0.03);
  t.true(table.rows.some((row) => row.service === 'PetSite' && row.figure === 'p50' && row.verdict === 'pass'));
});
