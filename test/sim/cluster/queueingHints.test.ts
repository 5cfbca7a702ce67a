/** Which events call a parked pod back (SEMANTICS B5), by the plugins that rejected it. */
import test from 'ava';
import { mayHelp, type ClusterEvent } from '../../../sim/cluster/queueingHints.js';
import type { FilterPlugin } from '../../../sim/cluster/scheduler.js';
import { completeInput, type SchedulerNode, type SchedulerPod } from '../../../sim/cluster/schedulerInput.js';

const ofApp = (app: string) => ({ matchLabels: { app }, matchExpressions: [] });
const amount = (cpuMillicores: number) => ({ cpuMillicores, memoryBytes: 0 });
const aPod: SchedulerPod = {
  requests: amount(500),
  requiredZone: null,
  requiredNode: null,
  preferredNode: null,
  spread: [],
};
const theNode: SchedulerNode = {
  zone: 0,
  ready: true,
  schedulable: true,
  allocatable: amount(1000),
  requested: amount(0),
  nonZeroRequested: amount(0),
};

function complete(pod: Partial<SchedulerPod>, node: Partial<SchedulerNode>) {
  const given = { pod: { ...aPod, ...pod }, nodes: [{ ...theNode, ...node }] };
  const input = completeInput({ ...given, podsOfService: [], visitOrder: [0], visitFrom: 0, pick: () => 0 });
  return { pod: input.pod, node: input.nodes[0]! };
}

const podEvent = (kind: 'podBound' | 'podGone', app: string, isAlike = false): ClusterEvent => ({
  kind,
  pod: { namespace: 'default', labels: { app } },
  isAlike,
});

function helps(event: ClusterEvent, by: FilterPlugin, pod: Partial<SchedulerPod> = {}, minor = 37): boolean {
  return mayHelp(event, complete(pod, {}).pod, new Set([by]), minor);
}

function nodeHelps(by: FilterPlugin, node: Partial<SchedulerNode>, pod: Partial<SchedulerPod> = {}, minor = 37) {
  const { pod: total, node: changed } = complete(pod, node);
  return mayHelp({ kind: 'nodeTaints', node: changed }, total, new Set([by]), minor);
}

test('the end of any pod may make room; a bound pod never does', (t) => {
  t.true(helps(podEvent('podGone', 'other'), 'NodeResourcesFit'));
  t.false(helps(podEvent('podBound', 'other'), 'NodeResourcesFit'));
  t.false(helps(podEvent('podGone', 'other'), 'TaintToleration'));
});

test('spread is changed by the pods that it counts', (t) => {
  const spread = [
    {
      topologyKey: 'zone',
      maxSkew: 1,
      whenUnsatisfiable: 'DoNotSchedule' as const,
      nodeTaintsPolicy: 'Ignore' as const,
      selector: ofApp('web'),
    },
  ];
  for (const kind of ['podBound', 'podGone'] as const) {
    t.true(helps(podEvent(kind, 'web'), 'PodTopologySpread', { spread }));
    t.false(helps(podEvent(kind, 'other'), 'PodTopologySpread', { spread }));
    // Without hints the kind of event is enough.
    t.true(helps(podEvent(kind, 'other'), 'PodTopologySpread', { spread }, 31));
  }
  const short = spread.map(({ selector: _selector, ...rest }) => rest);
  t.true(helps(podEvent('podGone', 'x', true), 'PodTopologySpread', { spread: short }));
  t.false(helps(podEvent('podGone', 'x'), 'PodTopologySpread', { spread: short }));
});

test('affinity waits for pods that it seeks to come, anti-affinity for those that it shuns to go', (t) => {
  const terms = { required: [{ selector: ofApp('db'), topologyKey: 'zone', namespaces: [] }], preferred: [] };
  t.true(helps(podEvent('podBound', 'db'), 'InterPodAffinity', { affinity: terms }));
  t.false(helps(podEvent('podBound', 'web'), 'InterPodAffinity', { affinity: terms }));
  t.false(helps(podEvent('podGone', 'db'), 'InterPodAffinity', { affinity: terms }));
  t.true(helps(podEvent('podGone', 'db'), 'InterPodAffinity', { antiAffinity: terms }));
  t.false(helps(podEvent('podGone', 'web'), 'InterPodAffinity', { antiAffinity: terms }));
  // Kept away by the terms of others: their end is no event for it.
  t.false(helps(podEvent('podGone', 'db'), 'InterPodAffinity'));
  t.true(helps(podEvent('podGone', 'db'), 'InterPodAffinity', {}, 31));
});

test('a node that is open again helps those that its taints kept away', (t) => {
  t.true(nodeHelps('NodeUnschedulable', {}));
  t.true(nodeHelps('TaintToleration', {}));
  t.false(nodeHelps('NodeUnschedulable', { schedulable: false }));
  t.false(nodeHelps('TaintToleration', { ready: false }));
  t.false(nodeHelps('NodeResourcesFit', {}));
  // Before hints every plugin was asked again, if the node had room.
  t.true(nodeHelps('NodeResourcesFit', {}, {}, 31));
  t.false(nodeHelps('NodeUnschedulable', {}, { requests: amount(1500) }, 31));
});
