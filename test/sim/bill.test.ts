/** What stands on the bill besides nodes and traffic between zones, and which price of a node holds. */
import test from 'ava';
import { PRICE_BOOKS, capacityOfLabels } from '../../scenarios/prices.js';
import { billUsd } from '../../sim/bill.js';
import { transferUsd } from '../../sim/cluster/cost.js';
import { linesOf, load, small } from '../scenarios/fixtures.js';
import { aLoad, anEndpoint, aScenario, aService, constant, cpu, runSeeds } from './builders.js';
import type { Bill } from '../../scenarios/types.js';

const HOUR_US = 3600e6;
const aws = PRICE_BOOKS['aws/us-east-1']!;
const NONE: Bill = { loadBalancer: null, internet: null, nat: null };

test('C3 worked: 30 days of 1000 crossings a second cost 259.20 on AWS, 120.70 on Google, nothing on Azure', (t) => {
  // 2.592e9 requests of 1 kB and as many replies of 4 kB are 12,960 GB.
  const bytes = 1000 * 86_400 * 30 * 5e3;
  t.is(transferUsd(bytes, aws.crossZoneUsdPerGb).toFixed(2), '259.20');
  t.is(transferUsd(bytes, PRICE_BOOKS['gcp/us-central1']!.crossZoneUsdPerGb).toFixed(2), '120.70');
  t.is(transferUsd(bytes, PRICE_BOOKS['azure/eastus']!.crossZoneUsdPerGb), 0);
});

test('a load balancer costs by the hour and by the byte either way, the internet by the byte sent', (t) => {
  const bill: Bill = {
    loadBalancer: { usdPerHour: 0.0225, usdPerGb: 0.006 },
    internet: { usdPerGb: 0.09 },
    nat: { usdPerHour: 0.135, usdPerGb: 0.045 },
  };
  // An hour with 10 GB of requests, 100 GB of replies and 2 GB through NAT.
  const usd = billUsd(bill, { requests: 10e9, replies: 100e9 }, 2e9, HOUR_US);
  t.is(usd.loadBalancerUsd!.toFixed(6), (0.0225 + 110 * 0.006).toFixed(6));
  t.is(usd.internetUsd!.toFixed(6), (100 * 0.09).toFixed(6));
  t.is(usd.natUsd!.toFixed(6), (0.135 + 2 * 0.045).toFixed(6));
  t.deepEqual(billUsd(NONE, { requests: 10e9, replies: 1e9 }, 1, HOUR_US), {
    loadBalancerUsd: 0,
    internetUsd: 0,
    natUsd: 0,
  });
});

test('a price that nobody stated leaves its part unknown, unless no byte is charged at it', (t) => {
  const bill: Bill = { ...NONE, loadBalancer: { usdPerHour: null, usdPerGb: 0.006 }, internet: { usdPerGb: null } };
  const some = billUsd(bill, { requests: 1, replies: 1 }, 0, HOUR_US);
  t.deepEqual([some.loadBalancerUsd, some.internetUsd, some.natUsd], [null, null, 0]);
  t.is(billUsd(bill, { requests: 0, replies: 0 }, 0, HOUR_US).internetUsd, 0);
});

test('in a run the parts of the bill add up to the total, and bytes are those of the users', (t) => {
  const service = aService({
    endpoints: [{ ...anEndpoint([cpu(constant(1000))]), requestBytes: 1000, responseBytes: 9000 }],
  });
  const base = aScenario({
    services: [service],
    loads: [aLoad(100, { arrivals: 'even' })],
    run: { warmUpUs: 0, durationUs: 3600e6 },
  });
  const bill: Bill = {
    loadBalancer: { usdPerHour: 0.0225, usdPerGb: 0.006 },
    internet: { usdPerGb: 0.09 },
    nat: { usdPerHour: 0.09, usdPerGb: 0.045 },
  };
  const { cost } = runSeeds({ ...base, cluster: { ...base.cluster, bill } }, 1)[0]!;
  // 360,000 requests of 10 kB are 3.6 GB, 3.24 GB of which are replies; one more or less is at the edge of the hour.
  t.true(Math.abs(cost.loadBalancerUsdPerHour! - (0.0225 + 3.6 * 0.006)) < 1e-5, `${cost.loadBalancerUsdPerHour}`);
  t.true(Math.abs(cost.internetUsdPerHour! - 3.24 * 0.09) < 1e-5, `${cost.internetUsdPerHour}`);
  t.is(cost.natUsdPerHour, 0.09);
  const micro = (usd: number | null): number => Math.round(usd! * 1e6);
  const parts = [
    cost.nodesUsdPerHour,
    cost.crossZoneUsdPerHour,
    cost.crossRegionUsdPerHour,
    cost.loadBalancerUsdPerHour,
    cost.internetUsdPerHour,
    cost.natUsdPerHour,
  ];
  t.is(
    parts.reduce<number>((sum, part) => sum + micro(part), 0),
    micro(cost.totalUsdPerHour),
  );
});

test('an empty entry takes the price book, what is stated overrides it, and nothing is on the bill unasked', (t) => {
  const withTransfer = (transfer: string) =>
    load(small(['nodePools:', `transfer: {${transfer}}\n    nodePools:`])).cluster.bill;
  t.deepEqual(load(small()).cluster.bill, NONE);
  const bill = withTransfer('loadBalancer: {}, internet: {perGB: 0.05}, nat: {perHour: 0.01, gateways: 2}');
  t.deepEqual(bill.loadBalancer, aws.loadBalancer);
  t.deepEqual(bill.internet, { usdPerGb: 0.05 });
  t.deepEqual(bill.nat, { usdPerHour: 0.02, usdPerGb: 0.045 });
});

test("Google's NAT costs 0.0014 an hour for each of 14 nodes, and 0.044 for 36", (t) => {
  // The examples of its price page.
  const { nat } = PRICE_BOOKS['gcp/us-central1']!;
  t.is(nat.usdPerHour(14).toFixed(4), '0.0196');
  t.is(nat.usdPerHour(36), 0.044);
});

test('labels of clouds and autoscalers say how a node is paid for', (t) => {
  t.is(capacityOfLabels({ 'karpenter.sh/capacity-type': 'spot' }), 'spot');
  t.is(capacityOfLabels({ 'eks.amazonaws.com/capacityType': 'ON_DEMAND' }), 'onDemand');
  t.is(capacityOfLabels({ 'cloud.google.com/gke-spot': 'true' }), 'spot');
  t.is(capacityOfLabels({ 'karpenter.sh/capacity-type': 'reserved' }), 'committed');
  t.is(capacityOfLabels({ app: 'web', 'karpenter.sh/capacity-type': 'else' }), null);
});

test('which price of a node holds: its own, that of its type and capacity, that of the book, or unknown', (t) => {
  const nodesWith = (pool: string, cluster = '') =>
    load(small(['prices: aws/us-east-1}', `prices: aws/us-east-1${pool}}${cluster}`])).cluster.nodes[0]!
      .priceUsdPerHour;
  t.is(nodesWith(''), 0.192);
  t.is(nodesWith(', capacity: spot'), null);
  const prices = '\n    instancePrices: {m5.xlarge: {spot: 0.07, committed: 0.121}}';
  t.is(nodesWith(', capacity: spot', prices), 0.07);
  t.is(nodesWith(', capacity: committed', prices), 0.121);
  t.is(nodesWith('', prices), 0.192);
  t.is(nodesWith(', capacity: spot, pricePerHour: 0.08', prices), 0.08);
  const google = small([
    'm5.xlarge, prices: aws/us-east-1}',
    'n2-standard-4, prices: gcp/us-central1, capacity: spot}',
  ]);
  t.is(load(google).cluster.nodes[0]!.priceUsdPerHour, 0.047);
});

test('a price that is missing is announced, one for a type that no pool has is refused', (t) => {
  const { notices } = load(
    small(['prices: aws/us-east-1}', 'prices: aws/us-east-1, capacity: spot}\n    transfer: {nat: {perGB: 0.01}}']),
  );
  t.deepEqual(
    notices.filter(({ code }) => code === 'WT0506').map(({ message }) => message),
    ['no price is stated for pool as spot: what it costs is unknown'],
  );
  const unused = small(['prices: aws/us-east-1}', 'prices: aws/us-east-1}\n    instancePrices: {m5.large: {spot: 1}}']);
  t.true(linesOf(unused)[0]!.includes('instancePrices'), linesOf(unused).join('\n'));
});
