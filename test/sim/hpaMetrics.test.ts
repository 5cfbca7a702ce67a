/** Autoscaling by several metrics in the run (SEMANTICS B1 to B4). */
import test from 'ava';
import type { Fault, HpaMetricSpec, HpaPolicy, Proxy, Service } from '../../scenarios/types.js';
import { simulate } from '../../sim/index.js';
import { SEED } from '../seed.js';
import { aLoad, anEndpoint, aScenario, aService, constant, cpu, staticPolicy } from './builders.js';

const SECOND = 1e6;

/** 100 requests a second, evenly, of 1 ms each unless told: 0.1 cores in all, of pods that each request one. */
function run(
  metrics: readonly HpaMetricSpec[] | null,
  more: {
    kubernetesMinor?: number;
    proxy?: Proxy;
    perSecond?: number;
    service?: Partial<Service>;
    faults?: readonly Fault[];
    seconds?: number;
    hpa?: Partial<HpaPolicy>;
  } = {},
) {
  const hpa: HpaPolicy = {
    service: 0,
    minReplicas: 1,
    maxReplicas: 8,
    targetCpuPercent: 60,
    metrics,
    behavior: null,
    ...more.hpa,
  };
  const scenario = aScenario({
    services: [aService({ replicas: 3, workers: 4, endpoints: [anEndpoint([cpu(constant(1000))])], ...more.service })],
    loads: [aLoad(more.perSecond ?? 100, { arrivals: 'even' })],
    policies: [{ ...staticPolicy, hpas: [hpa] }],
    run: { warmUpUs: 0, durationUs: (more.seconds ?? 240) * SECOND, seriesUs: SECOND },
    over: {
      faults: more.faults ?? [],
      compat: { istioMinor: 31, envoyMinor: 39, kubernetesMinor: more.kubernetesMinor ?? 37 },
    },
  });
  const { proxy = null } = more;
  const { series, decisions } = simulate({ ...scenario, mesh: { ...scenario.mesh, proxy } }, { policy: 0, seed: SEED });
  const { values } = series.readyReplicas[0]!;
  return { last: values.at(-1)!, values, reasons: decisions.map(({ because }) => because) };
}

const onCpu: HpaMetricSpec = { type: 'Resource', resource: 'cpu', target: { utilizationPercent: 60 } };
const perPod = (each: number): HpaMetricSpec => ({
  type: 'Pods',
  figure: 'requests_per_second',
  averageAmount: each * 1000,
});
const ofService = (figure: 'requests_per_second' | 'queue_length', target: object): HpaMetricSpec =>
  ({ type: 'External', figure, service: 0, target }) as HpaMetricSpec;
const blind: Fault = { kind: 'prometheusOutage', atUs: 0, forUs: null, rampUs: 0 };

test('B1: the metric that asks for the most wins, and the log names it', (t) => {
  // 33.3 of 22 requests a second each, times 3: ceil(4.55). With 5 pods 20/22 = 0.91 is tolerated. CPU asks for 1.
  const { last, reasons } = run([onCpu, perPod(22)]);
  t.is(last, 5);
  t.deepEqual(reasons, ['Pods requests_per_second asks for 5']);
});

test('B1: a share of an outside figure asks for the same count', (t) => {
  t.is(run([onCpu, ofService('requests_per_second', { averageAmount: 22_000 })]).last, 5);
});

test('B1: a whole figure that pods do not bring down drives the count to its maximum', (t) => {
  // 100 over 50 is 2 at any count: the target type Value is for figures such as a queue.
  t.is(run([ofService('requests_per_second', { amount: 50_000 })]).last, 8);
});

test('B1: memory holds what CPU would take away', (t) => {
  // 50 of 100 MB each is the target: 3 stay. CPU alone, at 3 %, goes to 1 once 300 s are over.
  const onMemory: HpaMetricSpec = { type: 'Resource', resource: 'memory', target: { utilizationPercent: 50 } };
  t.is(run([onCpu, onMemory], { seconds: 500 }).last, 3);
  t.is(run([onCpu], { seconds: 500 }).last, 1);
});

test('B1: a queue calls for pods that CPU does not ask for', (t) => {
  // Three pods of one worker answer 30 of 100 a second, and 70 more wait each second. A core of the four requested is
  // 25 %: CPU asks for fewer pods.
  const slow = {
    workers: 1,
    requests: { cpuMillicores: 4000, memoryBytes: 1e8 },
    endpoints: [anEndpoint([cpu(constant(100_000))])],
  };
  t.is(run([onCpu, ofService('queue_length', { averageAmount: 5000 })], { service: slow }).last, 8);
  t.is(run([onCpu], { service: slow }).last, 3);
});

test('B1: a metric that cannot be read forbids going down', (t) => {
  // 100 a second over 50 each are 2 pods, and CPU is content with 1.
  const metrics = [onCpu, perPod(50)];
  t.is(run(metrics, { seconds: 500 }).last, 2);
  t.is(run(metrics, { seconds: 500, faults: [blind] }).last, 3);
  // CPU needs no Prometheus.
  t.is(run([onCpu], { seconds: 500, faults: [blind] }).last, 1);
});

test('B1: a metric that cannot be read lets the others go up', (t) => {
  // 100/s of 30 ms are 3 cores: 100 % of what 3 pods request, and ceil(100/60 x 3) = 5 pods bring it to 60 %.
  const { last, reasons } = run([onCpu, perPod(50)], {
    service: { endpoints: [anEndpoint([cpu(constant(30_000))])] },
    faults: [blind],
  });
  t.is(last, 5);
  t.deepEqual(reasons, ['Resource cpu asks for 5; Pods requests_per_second: no figures']);
});

test('one metric on CPU utilisation does what targetCpu does', (t) => {
  const busy = { service: { endpoints: [anEndpoint([cpu(constant(30_000))])] }, seconds: 400 };
  t.deepEqual(run([onCpu], busy).values, run(null, busy).values);
});

test('B1: the tolerance of a direction is read from Kubernetes 1.35 on, by metrics and by targetCpu', (t) => {
  const behavior = { scaleUp: { tolerance: '0.2' } };
  // With 4 pods 25/22.5 = 1.11 is above the usual tolerance, and below 0.2.
  const byRate = (kubernetesMinor: number) =>
    run([perPod(22.5)], { kubernetesMinor, service: { replicas: 4 }, hpa: { behavior } }).last;
  t.deepEqual([byRate(34), byRate(35)], [5, 4]);
  // 100/s of 20 ms are 2 cores: 66.7 % of three requested, floored 66/58 = 1.14.
  const service = { endpoints: [anEndpoint([cpu(constant(20_000))])] };
  const byCpu = (kubernetesMinor: number) =>
    run(null, { kubernetesMinor, service, hpa: { targetCpuPercent: 58, behavior } }).last;
  t.deepEqual([byCpu(34), byCpu(35)], [4, 3]);
});

test('B1: a service figure cannot be read while Prometheus is down, whatever it has scraped', (t) => {
  // At 100 s its last minute still lies there, and cut short it would read as fewer requests, at once obeyed.
  const hpa = { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } };
  const metrics = [ofService('requests_per_second', { averageAmount: 22_000 })];
  t.is(run(metrics, { hpa, faults: [{ ...blind, atUs: 100 * SECOND }] }).last, 5);
});

test('B1: a container metric reads the application without its sidecar, or the sidecar alone', (t) => {
  // 0.3 cores in one pod that requests 1 core and 0.25 for its sidecar, which takes 2 ms of each of 300 requests: 0.6.
  const service: Partial<Service> = { replicas: 1, requests: { cpuMillicores: 1000, memoryBytes: 2 ** 30 } };
  const proxy: Proxy = {
    mode: 'sidecar',
    fixedUs: 0,
    meanUs: 0,
    cpuUsPerRequest: 2000,
    workers: 8,
    requests: { cpuMillicores: 250, memoryBytes: 0 },
  };
  const of = (container: 'app' | 'sidecar', utilizationPercent: number) =>
    run([{ type: 'ContainerResource', resource: 'cpu', container, target: { utilizationPercent } }], {
      service,
      proxy,
      perSecond: 300,
      seconds: 60,
    }).last;
  // The application at 30 % of its request is far below 60; with its sidecar the pod is at (0.3 + 0.6) / 1.25 = 72 %.
  t.is(of('app', 60), 1);
  const whole = run([{ type: 'Resource', resource: 'cpu', target: { utilizationPercent: 60 } }], {
    service,
    proxy,
    perSecond: 300,
    seconds: 60,
  });
  t.is(whole.last, 2);
  // 240 % of 100: ceil(2.4).
  t.is(of('sidecar', 100), 3);
});
