/**
 * Services and what runs behind them: a scenario's service is a host that callers name, so it bears the name of the
 * Service, and its pods are those of the workload that the selector finds. Several workloads behind one Service are
 * versions of it. Beside it: disruption budgets and what the environment of the containers says about callees.
 */
import type { Problem } from '../problems.js';
import { asRecord } from '../raw.js';
import { controllerSettings, type ControllerSettings } from './controller-settings.js';
import { fieldsOf, selects, selectsByLabels } from './fields.js';
import type { Ledger } from './ledger.js';
import { podResources, podTiming, settingsOf, type PodResources, type PodTiming } from './pod-template.js';
import { podRules, type PodRules, type PriorityClasses } from './pod-rules.js';
import type { KubeObject } from './read.js';
import type { Workload } from './workloads.js';

export interface ImportedService {
  readonly name: string;
  /** Null: the dump holds no Services at all. */
  readonly service: KubeObject | null;
  readonly workload: Workload;
  readonly replicas: number;
  readonly versionOf: string | null;
  readonly resources: PodResources;
  readonly timing: PodTiming;
  readonly controller: ControllerSettings;
  readonly rules: PodRules;
  readonly budget: Budget | null;
  readonly trafficDistribution: string | null;
  readonly topologyModeAuto: boolean;
  /** Services whose names stand in the settings of the containers. */
  readonly mentions: readonly string[];
}

export interface Budget {
  readonly object: KubeObject;
  readonly key: 'minAvailable' | 'maxUnavailable';
  readonly value: number | string;
  readonly alwaysAllow: boolean;
}

interface Found {
  readonly object: KubeObject;
  readonly workloads: readonly Workload[];
}

export function joinServices(
  objects: readonly KubeObject[],
  workloads: readonly Workload[],
  priorities: PriorityClasses,
  ledger: Ledger,
  problems: Problem[],
): readonly ImportedService[] {
  const services = objects.filter(({ kind }) => kind === 'Service');
  reportClashes(services, problems);
  const owned = findOwners(services, workloads, ledger, problems);
  const unserved = workloads.filter((one) => !owned.some((found) => found.workloads.includes(one)));
  const taken = new Set(owned.map(({ object }) => object.name));
  const parts: Part[] = owned.flatMap(({ object, workloads: behind }) => partsOf(object, behind, taken));
  for (const workload of unserved) {
    // Helm charts of one component may come without any Service; where there are some, the lack of one means something.
    if (services.length === 0) {
      parts.push({ name: freeName(workload.name, taken), service: null, workload, versionOf: null });
      ledger.note(workload.object, 'without a Service: taken to be called by its own name');
    } else {
      // Left out, but not unread: a mistake in it is told all the same.
      podResources(workload.object, workload.podSpec, problems);
      leaveOutWorkload(workload, 'no Service selects its pods, so nothing calls it', ledger);
    }
  }
  const names = parts.map(({ name }) => name);
  const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
  return parts.map((part): ImportedService => {
    const { workload, service } = part;
    const fields = service === null ? null : fieldsOf(service, problems);
    const timing = podTiming(workload.object, workload.podSpec, problems);
    const controller = controllerSettings(workload, problems);
    const rules = podRules(workload, priorities, problems);
    for (const unread of [...timing.unread, ...controller.unread, ...rules.unread])
      ledger.note(workload.object, `${unread} is not simulated`);
    const distribution = fields?.text(['spec', 'trafficDistribution']) ?? null;
    const isKnown = distribution === null || ['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(distribution);
    if (!isKnown) ledger.note(service!, `trafficDistribution ${distribution} is not simulated`);
    const settings = settingsOf(workload.object, workload.podSpec, problems).join('\n');
    return {
      ...part,
      replicas: workload.replicas,
      resources: podResources(workload.object, workload.podSpec, problems),
      timing,
      controller,
      rules,
      budget: budgetOf(workload, budgets, ledger, problems),
      trafficDistribution: isKnown ? distribution : null,
      topologyModeAuto: /^auto$/i.test(
        fields?.labels(['metadata', 'annotations'])['service.kubernetes.io/topology-mode'] ?? '',
      ),
      mentions: names.filter((name) => name !== part.name && mentions(settings, name)),
    };
  });
}

type Part = Pick<ImportedService, 'name' | 'service' | 'workload' | 'versionOf'>;

/** Each workload goes to one Service: the one of its name, else the first that is not headless, else the first. */
function findOwners(
  services: readonly KubeObject[],
  workloads: readonly Workload[],
  ledger: Ledger,
  problems: Problem[],
): readonly Found[] {
  const isHeadless = ({ value }: KubeObject): boolean => asRecord(value['spec'])['clusterIP'] === 'None';
  const selectors = services.map((object) => ({
    object,
    behind: workloads.filter(
      ({ namespace, podLabels }) =>
        namespace === object.namespace &&
        selectsByLabels(fieldsOf(object, problems).labels(['spec', 'selector']), podLabels),
    ),
  }));
  const ownerOf = new Map<Workload, KubeObject>();
  for (const workload of workloads) {
    const fitting = selectors.filter(({ behind }) => behind.includes(workload)).map(({ object }) => object);
    const owner =
      fitting.find(({ name }) => name === workload.name) ?? fitting.find((one) => !isHeadless(one)) ?? fitting[0];
    if (owner !== undefined) ownerOf.set(workload, owner);
  }
  return selectors.flatMap(({ object, behind }) => {
    const own = behind.filter((workload) => ownerOf.get(workload) === object);
    if (own.length > 0) {
      ledger.use(object);
      return [{ object, workloads: own }];
    }
    const reason =
      fieldsOf(object, problems).value(['spec', 'type']) === 'ExternalName'
        ? 'an outside name: make it a wait of its callers'
        : behind.length > 0
          ? `has the same pods as Service ${ownerOf.get(behind[0]!)!.name}`
          : 'selects no workload of the dump';
    ledger.leaveOut(object, reason);
    return [];
  });
}

function partsOf(service: KubeObject, behind: readonly Workload[], taken: Set<string>): Part[] {
  const named = (one: Workload): number => (one.name === service.name ? 0 : 1);
  const [first, ...others] = [...behind].sort(
    (a, b) => named(a) - named(b) || b.replicas - a.replicas || (a.name < b.name ? -1 : 1),
  );
  return [
    { name: service.name, service, workload: first!, versionOf: null },
    ...others.map((workload): Part => {
      const name = freeName(workload.name, taken);
      return { name, service, workload, versionOf: service.name };
    }),
  ];
}

function budgetOf(
  { namespace, podLabels }: Workload,
  budgets: readonly KubeObject[],
  ledger: Ledger,
  problems: Problem[],
): Budget | null {
  const [object, ...more] = budgets.filter(
    (one) => one.namespace === namespace && selects(fieldsOf(one, problems).value(['spec', 'selector']), podLabels),
  );
  if (object === undefined) return null;
  for (const other of more) ledger.leaveOut(other, 'a second budget of the same pods: Kubernetes then evicts none');
  const fields = fieldsOf(object, problems);
  const key = fields.value(['spec', 'minAvailable']) === undefined ? 'maxUnavailable' : 'minAvailable';
  const value = fields.value(['spec', key]);
  const isCount = Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount && !(typeof value === 'string' && /^(\d{1,2}|100)%$/.test(value))) {
    problems.push(
      object.problem('WT0203', ['spec', key], {
        message: value === undefined ? 'says neither minAvailable nor maxUnavailable' : 'not a number of pods',
        expected: 'a number of pods, or a percentage such as 50%',
      }),
    );
    return null;
  }
  ledger.use(object);
  const alwaysAllow = fields.text(['spec', 'unhealthyPodEvictionPolicy']) === 'AlwaysAllow';
  return { object, key, value: value as number | string, alwaysAllow };
}

function reportClashes(services: readonly KubeObject[], problems: Problem[]): void {
  const byName = new Map<string, KubeObject>();
  for (const object of services) {
    const before = byName.get(object.name);
    if (before === undefined) byName.set(object.name, object);
    else if (before.namespace !== object.namespace)
      problems.push(
        object.problem('WT0603', ['metadata', 'name'], {
          message: `stands in another namespace as well: ${before.where}`,
          hint: `choose one: --namespace ${before.namespace}, or --namespace ${object.namespace}`,
        }),
      );
  }
}

export function leaveOutWorkload({ object, pods }: Workload, reason: string, ledger: Ledger): void {
  for (const one of new Set([object, ...pods])) ledger.leaveOut(one, reason);
}

/** A host stands alone or before a dot or a port: "cart" is not in "cart-admin" nor in "shoppingcart". */
function mentions(text: string, name: string): boolean {
  return new RegExp(`(^|[^\\w.-])${name}(?![\\w-])`, 'm').test(text);
}

function freeName(wanted: string, taken: Set<string>): string {
  const base = wanted.replaceAll('.', '-').slice(0, 60);
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  taken.add(name);
  return name;
}
