import test from 'ava';
import fc from 'fast-check';
import {
  evictionOrder,
  isOomKilled,
  podToEvict,
  qosClass,
  type ContainerResources,
  type MemoryPod,
  type QosClass,
} from '../../../sim/cluster/oom.js';
import { slowEvictions } from '../../models/slowEvictions.js';
import { SEED as seed, SEED_NOTE } from '../../seed.js';

const MI = 1024 * 1024;

function aContainer(fields: Partial<ContainerResources> = {}): ContainerResources {
  return {
    cpuRequestMillicores: 100,
    cpuLimitMillicores: 100,
    memoryRequestBytes: MI,
    memoryLimitBytes: MI,
    ...fields,
  };
}
const bare: ContainerResources = {
  cpuRequestMillicores: null,
  cpuLimitMillicores: null,
  memoryRequestBytes: null,
  memoryLimitBytes: null,
};

test('B12: the QoS class needs equal requests and limits of CPU and memory in every container', (t) => {
  const rows: [string, ContainerResources[], QosClass][] = [
    ['all equal', [aContainer(), aContainer()], 'Guaranteed'],
    ['limits alone', [aContainer({ cpuRequestMillicores: null, memoryRequestBytes: null })], 'Guaranteed'],
    ['CPU below its limit', [aContainer({ cpuRequestMillicores: 50 })], 'Burstable'],
    ['no memory limit', [aContainer({ memoryLimitBytes: null })], 'Burstable'],
    ['a bare container beside', [aContainer(), bare], 'Burstable'],
    ['a request only', [{ ...bare, memoryRequestBytes: MI }], 'Burstable'],
    ['nothing', [bare, bare], 'BestEffort'],
    ['zeros are nothing', [{ ...bare, cpuRequestMillicores: 0, memoryLimitBytes: 0 }], 'BestEffort'],
  ];
  for (const [name, containers, expected] of rows) t.is(qosClass(containers), expected, name);
});

test('B12: memory above the limit kills, at the limit it does not', (t) => {
  t.deepEqual([isOomKilled(MI, MI), isOomKilled(MI + 1, MI), isOomKilled(9 * MI, null)], [false, true, false]);
});

function aPod(name: string, memoryUsedBytes: number, fields: Partial<MemoryPod> = {}): MemoryPod {
  return { name, priority: 0, memoryRequestBytes: 100 * MI, memoryUsedBytes: memoryUsedBytes * MI, ...fields };
}

test('B12: node pressure evicts pods over their request first, then low priority, then the greater excess', (t) => {
  const pods = [
    aPod('within-low', 100, { priority: -10 }),
    aPod('over-high', 900, { priority: 1000 }),
    aPod('over-little', 101),
    aPod('over-much', 300),
    aPod('none-asked', 250, { memoryRequestBytes: 0 }),
    aPod('within', 20),
  ];
  // Excess of the three at priority 0: 250, 200, 1. Of the two within: the lower priority goes first.
  const order = ['none-asked', 'over-much', 'over-little', 'over-high', 'within-low', 'within'];
  t.deepEqual(
    evictionOrder(pods).map(({ name }) => name),
    order,
  );
});

test('B12: a node evicts one pod while less than 100 Mi are available, and never a critical one', (t) => {
  const critical = aPod('dns', 900, { priority: 2_000_000_000 });
  const pods = [critical, aPod('web', 100), aPod('batch', 300)];
  t.is(podToEvict(pods, 100 * MI), null);
  t.is(podToEvict(pods, 100 * MI - 1)?.name, 'batch');
  t.is(podToEvict([critical], 0), null);
});

test(`the order of evictions agrees with picking the worst again and again ${SEED_NOTE}`, (t) => {
  const pod = fc.record({
    priority: fc.integer({ min: -2, max: 2 }),
    memoryRequestBytes: fc.nat(4),
    memoryUsedBytes: fc.nat(6),
  });
  const property = fc.property(fc.array(pod, { maxLength: 10 }), (fields) => {
    const pods = fields.map((one, p) => ({ name: `pod-${p}`, ...one }));
    t.deepEqual(
      evictionOrder(pods).map(({ name }) => name),
      slowEvictions(pods),
    );
  });
  t.notThrows(() => fc.assert(property, { seed, numRuns: 1000 }));
});
