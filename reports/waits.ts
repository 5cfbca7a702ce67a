/**
 * Pods that found no node at once, and what the scheduler said of them: for the summary a sentence each, for the page a
 * table. What it said is of the longest wait, whatever the seed.
 */
import type { PolicyResult, RunResult } from '../traces/run-result.js';
import { formatCount, formatNumber, plural } from './format.js';
import { htmlTable, type Markup } from './markup.js';

interface Row {
  readonly service: string;
  readonly mostPods: number;
  readonly podsAtEnd: number;
  readonly podSeconds: number;
  readonly reason: string;
}

/** By service, over the seeds: the most, the mean at the end, pod-seconds, and the reason of the longest wait. */
export function waitsOf(policy: PolicyResult): Row[] {
  const services = policy.replications[0]?.services.map(({ service }) => service) ?? [];
  return services.flatMap((service) => {
    const found = policy.replications.flatMap(
      ({ waitingPods }) => waitingPods?.filter((waiting) => waiting.service === service) ?? [],
    );
    if (found.length === 0) return [];
    const mean = (read: (one: (typeof found)[number]) => number): number =>
      found.reduce((sum, one) => sum + read(one), 0) / policy.replications.length;
    const [longest] = found.flatMap(({ reasons }) => reasons).sort((a, b) => b.podSeconds - a.podSeconds);
    return [
      {
        service,
        mostPods: Math.max(...found.map(({ mostPods }) => mostPods)),
        podsAtEnd: mean(({ podsAtEnd }) => podsAtEnd),
        podSeconds: mean(({ podSeconds }) => podSeconds),
        reason: longest?.message ?? '',
      },
    ];
  });
}

export function waitText({ service, mostPods, podsAtEnd, reason }: Row): string {
  return `${plural(mostPods, 'pod')} of ${service} at once, ${formatNumber(podsAtEnd)} at the end: ${reason}`;
}

/** Null: no pod waited. */
export function waitTable(result: RunResult): Markup | null {
  const rows = result.policies.flatMap((policy) =>
    waitsOf(policy).map(({ service, mostPods, podsAtEnd, podSeconds, reason }) => [
      policy.policy,
      service,
      reason,
      formatCount(mostPods),
      formatNumber(podsAtEnd),
      formatNumber(podSeconds),
    ]),
  );
  if (rows.length === 0) return null;
  const header = ['policy', 'service', 'what the scheduler said', 'most at once', 'at the end', 'pod-seconds'];
  return htmlTable('Pods that waited for a node: the longest wait, means over the seeds', header, rows, 3);
}
