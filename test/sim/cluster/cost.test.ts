import test from 'ava';
import { PRICE_BOOKS } from '../../../scenarios/prices.js';
import { nodeHoursUsd, podUsd, transferUsd, unitPrices } from '../../../sim/cluster/cost.js';

const HOUR_US = 3_600_000_000;
const GIB = 2 ** 30;

for (const [cloud, unitBytes, units, usd] of [
  // Out and in, 0.01 each a GB of 10^9 bytes; a GiB once, to the sender; nothing within a virtual network.
  ['aws/us-east-1', 1e9, '12960.0', '259.20'],
  ['gcp/us-central1', GIB, '12069.9', '120.70'],
  ['azure/eastus', 1e9, '12960.0', '0.00'],
] as const)
  test(`C3 worked: 1000 requests/s of 1 KB and 4 KB back across zones for 30 days cost $${usd} on ${cloud}`, (t) => {
    const bytes = 1000 * 30 * 86_400 * 5000;
    t.is((bytes / unitBytes).toFixed(1), units);
    t.is(transferUsd(bytes, PRICE_BOOKS[cloud]!.crossZoneUsdPerGb).toFixed(2), usd);
  });

test('C3: no price, no cost', (t) => t.is(transferUsd(1e15, 0), 0));

test('C4: two and a half hours of an m5.xlarge', (t) =>
  t.is(nodeHoursUsd(2.5 * HOUR_US, 0.192).toFixed(9), '0.480000000'));

test('C4: prices and sizes of nodes, by cloud and day', (t) => {
  const rows: readonly (readonly [string, string, number, number, number])[] = [
    // region, type, vCPU, GiB, $/h
    ['aws/us-east-1', 't3.medium', 2, 4, 0.0416],
    ['aws/us-east-1', 'm5.large', 2, 8, 0.096],
    ['aws/us-east-1', 'm5.xlarge', 4, 16, 0.192],
    ['aws/us-east-1', 'm6i.xlarge', 4, 16, 0.192],
    ['aws/us-east-1', 'm7i.xlarge', 4, 16, 0.2016],
    ['aws/us-east-1', 'm6g.xlarge', 4, 16, 0.154],
    ['aws/us-east-1', 'm7g.xlarge', 4, 16, 0.1632],
    ['aws/us-east-1', 'c6i.xlarge', 4, 8, 0.17],
    ['gcp/us-central1', 'e2-standard-4', 4, 16, 0.13402],
    ['gcp/us-central1', 'n2-standard-4', 4, 16, 0.1942],
    ['azure/eastus', 'D4s-v5', 4, 16, 0.192],
    ['azure/westeurope', 'D4s-v5', 4, 16, 0.23],
    ['azure/eastus', 'D4s-v6', 4, 16, 0.202],
    ['azure/westeurope', 'D4s-v6', 4, 16, 0.242],
  ];
  for (const [region, type, cores, gib, onDemand] of rows)
    t.like(PRICE_BOOKS[region]!.instances[type], {
      cpuMillicores: cores * 1000,
      memoryBytes: gib * GIB,
      usdPerHour: { onDemand },
    });
  t.is(PRICE_BOOKS['gcp/us-central1']!.instances['n2-standard-4']!.usdPerHour.spot, 0.047);
  t.is(Object.values(PRICE_BOOKS).flatMap(({ instances }) => Object.keys(instances)).length, rows.length);
  const days = ['aws/us-east-1', 'gcp/us-central1', 'azure/eastus'].map((region) => PRICE_BOOKS[region]!.asOf);
  t.deepEqual(days, ['2026-07-20', '2026-06-23', '2026-06-18']);
});

test('C5 worked: half a core requested and 1.5 GiB used for 10 hours cost $0.2216 at list prices', (t) => {
  const use = {
    requestCpuMillicores: 500,
    usedCpuMillicores: 200,
    requestMemoryBytes: GIB,
    usedMemoryBytes: 1.5 * GIB,
  };
  const prices = { usdPerCoreHour: 0.031611, usdPerGibHour: 0.004237 };
  const cpuOnly = podUsd({ ...use, requestMemoryBytes: 0, usedMemoryBytes: 0 }, 10 * HOUR_US, prices);
  const memoryOnly = podUsd({ ...use, requestCpuMillicores: 0, usedCpuMillicores: 0 }, 10 * HOUR_US, prices);
  const all = podUsd(use, 10 * HOUR_US, prices);
  t.deepEqual(
    [cpuOnly, memoryOnly, all].map((usd) => usd.toFixed(4)),
    ['0.1581', '0.0636', '0.2216'],
  );
});

test('C5: a node that is used whole costs its price, split in the ratio of the list prices', (t) => {
  const node = { cpuMillicores: 4000, memoryBytes: 16 * GIB, priceUsdPerHour: 0.192 };
  const prices = unitPrices(node);
  // List price 4 x 0.031611 + 16 x 0.004237 = 0.194236; factor 0.192 / 0.194236 = 0.98848823.
  t.is(prices.usdPerCoreHour.toFixed(6), '0.031247');
  t.is(prices.usdPerGibHour.toFixed(6), '0.004188');
  const whole = { requestCpuMillicores: 4000, usedCpuMillicores: 0, requestMemoryBytes: 16 * GIB, usedMemoryBytes: 0 };
  t.is(podUsd(whole, HOUR_US, prices).toFixed(9), '0.192000000');
});
