/**
 * What one pod asks for and how it starts and stops, from its spec. Requests follow Kubernetes: the sum over containers
 * that run together (sidecar init containers among them), at least the largest init container; a limit without a request
 * is the request as well. A pod is limited only where each of its containers is. Istio's own container is taken out: the
 * scenario has proxies of its own.
 */
import type { Problem } from '../problems.js';
import { asList, asRecord } from '../raw.js';
import type { Path } from '../source.js';
import { fieldsOf } from './fields.js';
import type { KubeObject } from './read.js';

export interface Amounts {
  readonly cpu: number | null;
  readonly memory: number | null;
}

export interface PodResources {
  readonly requests: Amounts;
  readonly limits: Amounts;
  /** Of the istio-proxy container; null: there is none. */
  readonly proxy: Amounts | null;
  readonly proxyImage: string | null;
  /** Names of containers that ask for no CPU or no memory. */
  readonly silent: readonly string[];
}

export interface PodTiming {
  readonly probe: { readonly initialDelaySeconds: number; readonly periodSeconds: number } | null;
  readonly graceSeconds: number | null;
  /** What the spec says and a scenario cannot. */
  readonly unread: readonly string[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly runsAlong: boolean;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const PROXY = 'istio-proxy';

export function podResources(object: KubeObject, at: Path, problems: Problem[]): PodResources {
  const all = containersOf(object, at, problems);
  const own = all.filter(({ name }) => name !== PROXY);
  const running = own.filter(({ runsAlong }) => runsAlong);
  const proxy = all.find(({ name }) => name === PROXY);
  const request = (what: 'cpu' | 'memory'): number | null => {
    const asked = running.flatMap(({ requests }) => requests[what] ?? []);
    if (asked.length === 0) return null;
    const first = own.filter(({ runsAlong }) => !runsAlong).map(({ requests }) => requests[what] ?? 0);
    return Math.max(
      asked.reduce((sum, one) => sum + one, 0),
      ...first,
    );
  };
  const limit = (what: 'cpu' | 'memory'): number | null => {
    const set = running.flatMap(({ limits }) => limits[what] ?? []);
    return set.length === running.length && set.length > 0 ? set.reduce((sum, one) => sum + one, 0) : null;
  };
  return {
    requests: { cpu: request('cpu'), memory: request('memory') },
    limits: { cpu: limit('cpu'), memory: limit('memory') },
    proxy: proxy?.requests ?? null,
    proxyImage: proxy?.image ?? null,
    silent: running.filter(({ requests }) => requests.cpu === null || requests.memory === null).map(({ name }) => name),
  };
}

function containersOf(object: KubeObject, at: Path, problems: Problem[]): Container[] {
  const fields = fieldsOf(object, problems);
  return ['containers', 'initContainers'].flatMap((list) =>
    fields.list([...at, list]).map((container, index): Container => {
      const here: Path = [...at, list, index, 'resources'];
      const amount = (what: 'requests' | 'limits', unit: string): number | null => {
        const found = fields.quantity([...here, what, unit]);
        // Zero asks for nothing, as if it were not written.
        return found === undefined || found === 0 ? null : found;
      };
      const limits = { cpu: amount('limits', 'cpu'), memory: amount('limits', 'memory') };
      return {
        name: String(container['name']),
        image: String(container['image']),
        runsAlong: list === 'containers' || container['restartPolicy'] === 'Always',
        requests: {
          cpu: amount('requests', 'cpu') ?? limits.cpu,
          memory: amount('requests', 'memory') ?? limits.memory,
        },
        limits,
      };
    }),
  );
}

export function podTiming(object: KubeObject, at: Path, problems: Problem[]): PodTiming {
  const fields = fieldsOf(object, problems);
  const containers = fields.list([...at, 'containers']);
  const probed = containers.findIndex(({ name, readinessProbe }) => name !== PROXY && readinessProbe !== undefined);
  const probeAt: Path = [...at, 'containers', probed, 'readinessProbe'];
  return {
    probe:
      probed < 0
        ? null
        : {
            initialDelaySeconds: fields.whole([...probeAt, 'initialDelaySeconds']) ?? 0,
            // Kubernetes' default, also for 0.
            periodSeconds: (fields.whole([...probeAt, 'periodSeconds']) ?? 0) || 10,
          },
    graceSeconds: fields.whole([...at, 'terminationGracePeriodSeconds']) ?? null,
    unread: containers.some(({ startupProbe }) => startupProbe !== undefined) ? ['startup probe'] : [],
  };
}

/** Words in the environment and the arguments of the containers, in which the addresses of other services stand. */
export function settingsOf(object: KubeObject, at: Path, problems: Problem[]): readonly string[] {
  return fieldsOf(object, problems)
    .list([...at, 'containers'])
    .filter(({ name }) => name !== PROXY)
    .flatMap(({ env, args, command }) => [
      ...asList(env).map((one) => asRecord(one)['value']),
      ...asList(args),
      ...asList(command),
    ])
    .filter((one) => typeof one === 'string');
}
