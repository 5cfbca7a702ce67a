/** Said before the run: rules that no node of the cluster meets, as its pods would wait for good. */
import { notice, placeOf } from './notices.js';
import type { NodeSelectorTerm, PodScheduling } from './pod-scheduling.js';
import type { Path, Source } from './source.js';
import type { Notice, Scenario } from './types.js';

type Bare = Pick<Scenario, 'cluster' | 'services'>;

export function schedulingNotices({ cluster, services }: Bare, source: Source): readonly Notice[] {
  const known = new Map<string, Set<string>>();
  for (const { labels } of cluster.nodes)
    for (const [key, value] of Object.entries(labels)) known.set(key, (known.get(key) ?? new Set()).add(value));
  return services.flatMap(({ name, scheduling }, index) =>
    unmetRules(scheduling, known).map(([at, rule]) =>
      notice(source, 'WT0508', [...placeOf(services, index), ...at], `${name}: no node has ${rule}`),
    ),
  );
}

type KnownLabels = ReadonlyMap<string, ReadonlySet<string>>;

function unmetRules(scheduling: PodScheduling, known: KnownLabels): [at: Path, rule: string][] {
  const { nodeSelector, nodeAffinity, topologySpread, podAffinity, podAntiAffinity } = scheduling;
  const unmet: [Path, string][] = [];
  for (const [key, value] of Object.entries(nodeSelector))
    if (!known.get(key)?.has(value)) unmet.push([['nodeSelector', key], `the label ${key}: ${value}`]);
  if (nodeAffinity.length > 0 && !nodeAffinity.some((term) => mayHold(term, known)))
    unmet.push([['affinity', 'nodeAffinity'], 'the labels that its node affinity requires']);
  for (const [index, { topologyKey }] of topologySpread.entries())
    if (!known.has(topologyKey))
      unmet.push([['topologySpreadConstraints', index, 'topologyKey'], `the label ${topologyKey}`]);
  for (const [which, { required }] of Object.entries({ podAffinity, podAntiAffinity }))
    for (const [index, { topologyKey }] of required.entries())
      if (!known.has(topologyKey)) {
        const at: Path = ['affinity', which, 'requiredDuringSchedulingIgnoredDuringExecution', index, 'topologyKey'];
        unmet.push([at, `the label ${topologyKey}`]);
      }
  return unmet;
}

/** Label by label: whether one node has them all shows in the run. */
function mayHold({ matchExpressions }: NodeSelectorTerm, known: KnownLabels): boolean {
  return matchExpressions.every(({ key, operator, values }) => {
    if (operator === 'NotIn' || operator === 'DoesNotExist') return true;
    const found = known.get(key);
    return found !== undefined && (operator !== 'In' || values.some((value) => found.has(value)));
  });
}
