/**
 * HorizontalPodAutoscalers (v2, and v1 with its single percentage) as a scenario has them: bounds, metrics of CPU and memory,
 * and `behavior` in Kubernetes' own words. Other metrics are names of somebody's monitoring: what stands behind them nobody
 * can know here, so one that scales on nothing else is left out, with the metric.
 */
import type { Problem } from '../problems.js';
import { asRecord } from '../raw.js';
import { fieldsOf, type Fields } from './fields.js';
import type { Ledger } from './ledger.js';
import type { KubeObject, Raw } from './read.js';
import type { ImportedService } from './services.js';

export interface ImportedAutoscaler {
  readonly service: string;
  readonly object: KubeObject;
  readonly min: number;
  readonly max: number;
  readonly targetCpuPercent: number | null;
  /** As Kubernetes writes them, where one CPU percentage does not say it all; null: it does. */
  readonly metrics: readonly Raw[] | null;
  readonly behavior: Raw | null;
}

const RULE_KEYS = ['stabilizationWindowSeconds', 'selectPolicy', 'tolerance', 'policies'];

export function readAutoscalers(
  objects: readonly KubeObject[],
  services: readonly Pick<ImportedService, 'name' | 'workload'>[],
  ledger: Ledger,
  problems: Problem[],
): readonly ImportedAutoscaler[] {
  const scaled = new Set<string>();
  return objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .flatMap((object) => {
      const fields = fieldsOf(object, problems);
      const kind = fields.text(['spec', 'scaleTargetRef', 'kind']);
      const name = fields.text(['spec', 'scaleTargetRef', 'name']);
      const target = services.find(
        ({ workload }) => workload.namespace === object.namespace && workload.kind === kind && workload.name === name,
      );
      const max = fields.whole(['spec', 'maxReplicas'], 1);
      if (fields.value(['spec', 'maxReplicas']) === undefined)
        problems.push(object.problem('WT0202', ['spec', 'maxReplicas'], { message: 'missing key "maxReplicas"' }));
      const { percent, metrics, unread } = targets(object, problems);
      if (target === undefined || max === undefined) {
        ledger.leaveOut(object, `scales ${kind ?? 'nothing'} ${name ?? ''}, which is no service here`);
        return [];
      }
      if (percent === undefined && metrics === null) {
        ledger.leaveOut(object, `scales on ${unread.join(', ')}: only CPU and memory are read`);
        return [];
      }
      if (scaled.has(target.name)) {
        ledger.leaveOut(object, `a second autoscaler of ${target.name}`);
        return [];
      }
      scaled.add(target.name);
      ledger.use(object);
      for (const metric of unread) ledger.note(object, `its metric ${metric} is not simulated`);
      const least = fields.whole(['spec', 'minReplicas']) ?? 1;
      if (least === 0) ledger.note(object, 'minReplicas 0 is not simulated: 1 instead');
      return [
        {
          ...{ service: target.name, object, min: Math.max(1, least), max, targetCpuPercent: percent ?? null, metrics },
          behavior: behaviorOf(fields.value(['spec', 'behavior']), object, ledger),
        },
      ];
    });
}

interface Targets {
  /** Null: no metric at all, for which Kubernetes takes its own default. Undefined: none of these. */
  readonly percent: number | null | undefined;
  readonly metrics: readonly Raw[] | null;
  readonly unread: readonly string[];
}

function targets(object: KubeObject, problems: Problem[]): Targets {
  const fields = fieldsOf(object, problems);
  const old = fields.whole(['spec', 'targetCPUUtilizationPercentage'], 1);
  if (old !== undefined) return { percent: old, metrics: null, unread: [] };
  const all = fields.list(['spec', 'metrics']);
  if (all.length === 0) return { percent: null, metrics: null, unread: [] };
  const read: Raw[] = [];
  const unread: string[] = [];
  for (const [index, metric] of all.entries()) {
    const resource = resourceMetric(metric, fields, ['spec', 'metrics', index, 'resource']);
    if (resource === undefined) unread.push(metricName(metric));
    else read.push(resource);
  }
  const [only] = read;
  const percent = read.length === 1 ? cpuPercentOf(only!) : undefined;
  return percent !== undefined || read.length === 0
    ? { percent, metrics: null, unread }
    : { percent: undefined, metrics: read, unread };
}

/** With nothing but what a scenario takes. Undefined: another metric. */
function resourceMetric(metric: Raw, fields: Fields, at: readonly (string | number)[]): Raw | undefined {
  const name = asRecord(metric['resource'])['name'];
  if (metric['type'] !== 'Resource' || (name !== 'cpu' && name !== 'memory')) return undefined;
  const averageUtilization = fields.whole([...at, 'target', 'averageUtilization'], 1);
  if (averageUtilization !== undefined)
    return { type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } };
  const averageValue = asRecord(asRecord(metric['resource'])['target'])['averageValue'];
  if (typeof averageValue !== 'string' && typeof averageValue !== 'number') return undefined;
  return { type: 'Resource', resource: { name, target: { type: 'AverageValue', averageValue: String(averageValue) } } };
}

function cpuPercentOf(metric: Raw): number | undefined {
  const { name, target } = asRecord(metric['resource']);
  const percent = asRecord(target)['averageUtilization'];
  return name === 'cpu' && typeof percent === 'number' ? percent : undefined;
}

function metricName(metric: Raw): string {
  const type = String(metric['type']);
  const inner = asRecord(metric[type.charAt(0).toLowerCase() + type.slice(1)]);
  const { averageValue, value } = asRecord(inner['target']);
  const name = inner['name'] ?? asRecord(inner['metric'])['name'];
  const parts = [type, name, averageValue ?? value];
  return parts.filter((part) => typeof part === 'string' || typeof part === 'number').join(' ');
}

function behaviorOf(value: unknown, object: KubeObject, ledger: Ledger): Raw | null {
  const rules = ['scaleUp', 'scaleDown'].flatMap((way) => {
    const rule = asRecord(asRecord(value)[way]);
    for (const key of Object.keys(rule))
      if (!RULE_KEYS.includes(key)) ledger.note(object, `behavior.${way}.${key} is not simulated`);
    const kept = Object.entries(rule).filter(([key]) => RULE_KEYS.includes(key));
    return kept.length === 0 ? [] : [[way, Object.fromEntries(kept)] as const];
  });
  return rules.length === 0 ? null : Object.fromEntries(rules);
}
