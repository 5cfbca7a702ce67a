/** How a file says that pods share the cores of their node. */
import test from 'ava';
import { linesOf, load, SMALL, unmarked } from './fixtures.js';

const withCpu = (cpu: string, kubernetes = '1.37'): string =>
  SMALL.replace('    zones: [r1/a, r1/b]\n', `    zones: [r1/a, r1/b]\n    cpu: ${cpu}\n`).replace(
    '  cluster:\n',
    `  compat: {kubernetes: "${kubernetes}"}\n  cluster:\n`,
  );
const weights = (cpu: string, kubernetes?: string) => load(withCpu(cpu, kubernetes)).cluster.cpuWeights;

test('pods meet by default, with the conversion that the kubelet of the release has (SEMANTICS B12)', (t) => {
  t.is(load(SMALL).cluster.cpuWeights, 'curved');
  t.deepEqual([weights('{}', '1.34'), weights('{}', '1.35')], ['linear', 'curved']);
});

test('a file may choose the conversion, cgroup v1, or that pods do not meet', (t) => {
  t.is(weights('{weights: linear}'), 'linear');
  t.is(weights('{contention: cgroupV2, weights: curved}', '1.30'), 'curved');
  t.is(weights('{contention: cgroupV1}'), 'shares');
  t.is(weights('{contention: none}'), null);
});

test('weights without cgroup v2 are refused', (t) => {
  for (const contention of ['cgroupV1', 'none']) {
    const { text, places } = unmarked(withCpu(`{contention: ${contention}, weights: ¦linear}`));
    t.deepEqual(linesOf(text), [
      `${places[0]} WT0207 spec.cluster.cpu.weights: there are none with contention: ${contention}`,
    ]);
  }
});
