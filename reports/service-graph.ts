/**
 * The call graph of a policy as a drawing: services in columns by their distance from the gateway (longest path, so that
 * every call points to the right), each column ordered by where its callers stand. An edge is as wide as the root of its
 * rate, and the coloured part of its length is the share of its requests that cross a zone.
 */
import type { PolicyResult } from '../traces/run-result.js';
import { latencyOf } from './figures.js';
import { clip, formatMs, formatNumber, formatShare } from './format.js';
import type { Markup } from './markup.js';
import { markup } from './markup.js';
import { estimate } from './statistics.js';

interface GraphNode {
  readonly name: string;
  readonly layer: number;
  readonly row: number;
  readonly facts: string;
}

interface GraphEdge {
  readonly source: string;
  readonly destination: string;
  readonly requestsPerSecond: number;
  readonly crossZoneShare: number | null;
}

/** Beyond this a drawing is a carpet; the edge table has them all. */
const mostServices = 60;
const box = { width: 184, height: 46 };
const gap = { columns: 96, rows: 30 };
const margin = 12;

export function serviceGraph(policy: PolicyResult): Markup {
  const edges = edgesOf(policy);
  const nodes = placed(policy, edges);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const shownEdges = edges.filter((edge) => byName.has(edge.source) && byName.has(edge.destination));
  const layers = Math.max(0, ...nodes.map((node) => node.layer)) + 1;
  const rows = Math.max(0, ...nodes.map((node) => node.row)) + 1;
  const width = 2 * margin + layers * box.width + (layers - 1) * gap.columns;
  const height = 2 * margin + rows * box.height + (rows - 1) * gap.rows;
  const busiest = Math.max(...shownEdges.map((edge) => edge.requestsPerSecond), 1e-9);
  const paths = shownEdges.map((edge) => edgeMarkup(edge, byName, busiest));
  return markup`<svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${`Service graph under ${policy.policy}: ${nodes.length} nodes, ${shownEdges.length} edges; the table of edges below has the same figures`}">
${paths.map((path) => path.line)}${nodes.map(nodeMarkup)}${paths.map((path) => path.label)}</svg>\n`;
}

/** As they run: a call through a waypoint is an arrow to that, and those of several services are one. */
function edgesOf(policy: PolicyResult): GraphEdge[] {
  const legs = new Map<string, GraphEdge>();
  for (const edge of edgeMeans(policy)) {
    const key = JSON.stringify([edge.source, edge.destination]);
    const before = legs.get(key);
    legs.set(key, before === undefined ? edge : together(before, edge));
  }
  return [...legs.values()];
}

function together(a: GraphEdge, b: GraphEdge): GraphEdge {
  const requestsPerSecond = a.requestsPerSecond + b.requestsPerSecond;
  const crossing = a.requestsPerSecond * (a.crossZoneShare ?? 0) + b.requestsPerSecond * (b.crossZoneShare ?? 0);
  return { ...a, requestsPerSecond, crossZoneShare: requestsPerSecond > 0 ? crossing / requestsPerSecond : null };
}

function edgeMeans(policy: PolicyResult): GraphEdge[] {
  return (policy.replications[0]?.edges ?? []).map(({ source, destination, via }, index) => {
    const mean = (
      read: (one: NonNullable<(typeof policy.replications)[number]['edges'][number]>) => number | null,
    ): number | null =>
      estimate(
        policy.replications.map((one) => {
          const edge = one.edges[index];
          return edge === undefined ? null : read(edge);
        }),
      ).mean;
    return {
      source,
      destination: via ?? destination,
      requestsPerSecond: mean((edge) => edge.requestsPerSecond) ?? 0,
      crossZoneShare: mean((edge) => edge.crossZoneShare),
    };
  });
}

function placed(policy: PolicyResult, edges: readonly GraphEdge[]): GraphNode[] {
  const services = [...(policy.replications[0]?.services ?? [])]
    .map((one, index) => ({ name: one.service, requests: one.requests.total, index }))
    .sort((a, b) => b.requests - a.requests || a.index - b.index)
    .slice(0, mostServices)
    .sort((a, b) => a.index - b.index)
    .map((one) => one.name);
  const names = edges.some((edge) => edge.source === 'gateway')
    ? ['gateway', ...services.filter((name) => name !== 'gateway')]
    : services;
  const layerOf = layersOf(names, edges);
  const rowOf = new Map<string, number>();
  const tallest = Math.max(
    1,
    ...names.map((name) => names.filter((other) => layerOf.get(other) === layerOf.get(name)).length),
  );
  for (let layer = 0; layer <= Math.max(0, ...layerOf.values()); layer++) {
    const members = names.filter((name) => layerOf.get(name) === layer);
    const place = new Map(members.map((name) => [name, meanRow(name, edges, rowOf)]));
    members.sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0) || names.indexOf(a) - names.indexOf(b));
    members.forEach((name, index) => rowOf.set(name, index + (tallest - members.length) / 2));
  }
  return names.map((name) => ({
    name,
    layer: layerOf.get(name) ?? 0,
    row: rowOf.get(name) ?? 0,
    facts: factsOf(policy, name, edges),
  }));
}

/** Longest path by relaxing every edge as often as there are services; a circle stops there instead of running on. */
function layersOf(names: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const layers = new Map(names.map((name) => [name, 0]));
  for (let round = 0; round < names.length; round++) {
    let moved = false;
    for (const { source, destination } of edges) {
      const [from, to] = [layers.get(source), layers.get(destination)];
      if (from === undefined || to === undefined || source === destination || to > from || from + 1 >= names.length)
        continue;
      layers.set(destination, from + 1);
      moved = true;
    }
    if (!moved) break;
  }
  return layers;
}

function meanRow(name: string, edges: readonly GraphEdge[], rowOf: ReadonlyMap<string, number>): number {
  const rows = edges.filter((edge) => edge.destination === name).flatMap((edge) => rowOf.get(edge.source) ?? []);
  return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
}

function factsOf(policy: PolicyResult, name: string, edges: readonly GraphEdge[]): string {
  if (name === 'gateway') {
    const rate = edges.filter((edge) => edge.source === name).reduce((sum, edge) => sum + edge.requestsPerSecond, 0);
    return `${formatNumber(rate)}/s`;
  }
  const own = policy.replications.map((one) => one.services.find((service) => service.service === name));
  const rate = estimate(own.map((one) => one?.requestsPerSecond ?? null)).mean;
  const p95 = estimate(own.map((one) => latencyOf(one, 'p95'))).mean;
  const pods = estimate(own.map((one) => one?.meanReplicas ?? null)).mean;
  const kind = own[0]?.kind;
  return `${formatNumber(rate)}/s · p95 ${formatMs(p95)} · ${kind === undefined || kind === 'waypoint' ? `${formatNumber(pods)} pods` : kind}`;
}

function nodeMarkup(node: GraphNode): Markup {
  const { x, y } = cornerOf(node);
  return markup`<g><title>${node.name}</title><rect class="node" x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6"/><text class="node-name" x="${x + box.width / 2}" y="${y + 19}">${clip(node.name, 20)}</text><text class="node-facts" x="${x + box.width / 2}" y="${y + 36}">${node.facts}</text></g>\n`;
}

function edgeMarkup(
  edge: GraphEdge,
  byName: ReadonlyMap<string, GraphNode>,
  busiest: number,
): { line: Markup; label: Markup } {
  const [source, destination] = [byName.get(edge.source), byName.get(edge.destination)];
  if (source === undefined || destination === undefined) return { line: markup``, label: markup`` };
  const [from, to] = [cornerOf(source), cornerOf(destination)];
  const [x1, y1, x2, y2] = [from.x + box.width, from.y + box.height / 2, to.x, to.y + box.height / 2];
  const bend = Math.max(30, Math.abs(x2 - x1) / 2);
  const d = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  const width = (1 + 5 * Math.sqrt(edge.requestsPerSecond / busiest)).toFixed(2);
  const share = (edge.crossZoneShare ?? 0) * 100;
  const text = `${formatNumber(edge.requestsPerSecond)}/s, ${formatShare(edge.crossZoneShare)}`;
  const crossing =
    share > 0
      ? markup`<path class="crossing" d="${d}" stroke-width="${width}" pathLength="100" stroke-dasharray="${share.toFixed(2)} 200"/>`
      : null;
  const title = `${edge.source} to ${edge.destination}: ${formatNumber(edge.requestsPerSecond)} requests a second, ${formatShare(edge.crossZoneShare)} of them to another zone`;
  return {
    line: markup`<g><title>${title}</title><path class="edge" d="${d}" stroke-width="${width}"/>${crossing}</g>\n`,
    // Past the middle, where the edges of one caller have spread.
    label: markup`<text class="edge-label" x="${round(x1 + 0.58 * (x2 - x1))}" y="${round(y1 + 0.66 * (y2 - y1) - 6)}">${text}</text>\n`,
  };
}

function cornerOf({ layer, row }: GraphNode): { x: number; y: number } {
  return { x: margin + layer * (box.width + gap.columns), y: round(margin + row * (box.height + gap.rows)) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
