/**
 * Round trips of a scenario: what it states, then the matrix that it names, then ordinary cloud figures. Pairs of zones come
 * before their classes (same zone, other zone, other region), pairs of nodes before their zones.
 */
import { DEFAULTS } from './defaults.js';
import { betweenRegionsMs, ROUND_TRIP_MATRICES } from './round-trip-matrices.js';
import type { ClusterFile } from './schema.js';
import type { Distribution, NodeSpec, RoundTrip, Zone } from './types.js';
import { durationUs } from './units.js';

type RoundTripFile = ClusterFile['roundTrip'];
type Pair = RoundTrip['pairs'][number];

export function buildRoundTrip(file: RoundTripFile, zones: readonly Zone[], nodes: readonly NodeSpec[]): RoundTrip {
  const matrix = file.matrix === undefined ? null : ROUND_TRIP_MATRICES[file.matrix]!;
  const measured = (ms: number | null | undefined): number | undefined =>
    typeof ms === 'number' ? ms * 1000 : undefined;
  const stated = both(file.pairs, zones);
  const isStated = (from: number, to: number) => stated.some((pair) => pair.from === from && pair.to === to);
  const published = zones.flatMap((from, i) =>
    zones.flatMap((to, j): Pair[] => {
      const ms = matrix && betweenRegionsMs(matrix, from.region, to.region);
      // A round trip between regions that the scenario states itself holds for all of them.
      if (ms === null || file.crossRegion !== undefined || isStated(i, j)) return [];
      return [{ from: i, to: j, roundTripUs: ms * 1000 }];
    }),
  );
  return {
    sameNodeUs: file.sameNode ?? durationUs(DEFAULTS.roundTrip.sameNode),
    sameZoneUs: file.sameZone ?? measured(matrix?.sameZoneMs) ?? durationUs(DEFAULTS.roundTrip.sameZone),
    crossZoneUs: file.crossZone ?? measured(matrix?.crossZoneMs) ?? durationUs(DEFAULTS.roundTrip.crossZone),
    crossRegionUs: file.crossRegion ?? durationUs(DEFAULTS.roundTrip.crossRegion),
    pairs: [...published, ...stated],
    nodePairs: both(file.nodes, nodes),
    jitter: buildJitter(file.jitter),
  };
}

function both(pairs: RoundTripFile['pairs'], declared: readonly { readonly name: string }[]): Pair[] {
  return pairs.flatMap(({ between, roundTrip: roundTripUs }) => {
    const [from, to] = between.map((name) => declared.findIndex((one) => one.name === name)) as [number, number];
    return [
      { from, to, roundTripUs },
      { from: to, to: from, roundTripUs },
    ];
  });
}

function buildJitter(jitter: RoundTripFile['jitter']): Distribution | null {
  if (jitter?.lognormal !== undefined) return { kind: 'lognormal', mean: 1, cv: jitter.lognormal.cv };
  if (jitter?.gamma !== undefined) return { kind: 'gamma', mean: 1, cv: jitter.gamma.cv };
  return null;
}
