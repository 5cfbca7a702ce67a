import test from 'ava';
import { nodeHoursUsd, podUsd, transferUsd, unitPrices } from '../../../sim/cluster/cost.js';

const HOUR_US = 3_600_000_000;
const GIB = 2 ** 30;

test('C3 worked: 1000 requests/s of 5 KB across zones for 30 days cost $259.20 on AWS', (t) => {
  const bytes = 1000 * 30 * 86_400 * 5000;
  t.is(bytes, 12_960e9);
  t.is(transferUsd(bytes, 0.02).toFixed(6), '259.200000');
});

test('C3: no price, no cost', (t) => t.is(transferUsd(1e15, 0), 0));

test('C4: two and a half hours of an m5.xlarge', (t) =>
  t.is(nodeHoursUsd(2.5 * HOUR_US, 0.192).toFixed(9), '0.480000000'));

test('C5 worked: half a core requested and 1.5 GiB used for 10 hours cost $0.2216 at list prices', (t) => {
  const use = {
    requestCpuMillicores: 500,
    usedCpuMillicores: 200,
    requestMemoryBytes: GIB,
    usedMemoryBytes: 1.5 * GIB,
  };
  t.is(podUsd(use, 10 * HOUR_US, { usdPerCoreHour: 0.031611, usdPerGibHour: 0.004237 }).toFixed(4), '0.2216');
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
