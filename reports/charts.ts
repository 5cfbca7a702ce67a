/**
 * The charts of the page: vega-lite specifications, drawn to SVG here and not in the reader's browser, so that the page
 * needs no script. Each chart is drawn twice, for wide and for narrow screens: one drawing scaled down to a telephone
 * would have letters of four pixels. Ink is `currentColor`, so that dark mode and print need no second drawing.
 */
import type { TopLevelSpec } from 'vega-lite';
import type { ReplicationResult, RunResult } from '../traces/run-result.js';
import type { Markup } from './markup.js';
import { markup, raw } from './markup.js';
import { bandOf, nodesIn, replicasIn } from './series.js';

/** Middle tones, at least 3:1 against white and against the dark background. Never the only mark: dashes and tables help. */
const colors = ['#2f7fc1', '#d1741a', '#2b9a72', '#b3589b', '#7c70d8', '#b8862b', '#cf5050', '#4f9aa8'];
const dashes = [
  [1, 0],
  [7, 3],
  [2, 2],
  [9, 2, 2, 2],
  [4, 4],
  [12, 3],
  [1, 3],
  [6, 2, 1, 2],
];

interface Shape {
  readonly name: 'wide' | 'narrow';
  readonly widthPixels: number;
}

/** Plot widths that leave room for the axis within a page of 1,060 and a telephone of 390 pixels. */
const shapes: readonly Shape[] = [
  { name: 'wide', widthPixels: 960 },
  { name: 'narrow', widthPixels: 290 },
];

type Values = readonly Readonly<Record<string, string | number | null>>[];

export interface ChartText {
  readonly id: string;
  /** For those who do not see the drawing. */
  readonly description: string;
}

export async function latencyChart(result: RunResult, text: ChartText): Promise<Markup> {
  const time = timeUnit(result.durationSeconds);
  const names = result.policies.map((policy) => policy.policy);
  const values: Values = result.policies.flatMap((policy) =>
    bandOf(policy, (one) => one.series.p95Ms).map(({ atSeconds, middle, low, high }) => ({
      policy: policy.policy,
      at: atSeconds / time.seconds,
      middle,
      low,
      high,
    })),
  );
  const faults = (result.policies[0]?.replications[0]?.faultTolerance.faults ?? []).map((fault) => ({
    at: fault.atSeconds / time.seconds,
    fault: fault.fault,
  }));
  const present = values.flatMap(({ low, high }) =>
    typeof low === 'number' && typeof high === 'number' ? [low, high] : [],
  );
  const scale = scaleOf(present);
  const y = { type: 'quantitative', scale, axis: { title: 'p95, ms', tickCount: 5 } } as const;
  return draw(text, values, (shape) => ({
    width: shape.widthPixels,
    height: 260,
    // The legend is that of the lines: with the band's it would lose the dashes.
    resolve: { legend: { color: 'independent', strokeDash: 'independent' } },
    layer: [
      {
        data: { values: [...values] },
        mark: { type: 'area', opacity: 0.22, line: false, clip: true },
        encoding: {
          x: timeAxis('at', time.title),
          y: { field: 'low', ...y },
          y2: { field: 'high' },
          color: { field: 'policy', type: 'nominal', sort: null, scale: colorScale(names), legend: null },
        },
      },
      {
        data: { values: [...values] },
        mark: { type: 'line', strokeWidth: 2, clip: true },
        encoding: {
          x: timeAxis('at', time.title),
          y: { field: 'middle', ...y },
          color: {
            field: 'policy',
            type: 'nominal',
            sort: null,
            scale: colorScale(names),
            legend: legendOf(shape, names),
          },
          strokeDash: {
            field: 'policy',
            type: 'nominal',
            sort: null,
            scale: { domain: names, range: names.map((_, index) => dashes[index % dashes.length] ?? [1, 0]) },
            legend: legendOf(shape, names),
          },
        },
      },
      ...(faults.length === 0
        ? []
        : [
            {
              data: { values: faults },
              mark: { type: 'rule' as const, stroke: 'currentColor', strokeDash: [3, 3], opacity: 0.7 },
              encoding: { x: timeAxis('at', time.title) },
            },
            {
              data: { values: faults },
              mark: {
                type: 'text' as const,
                align: 'left' as const,
                baseline: 'top' as const,
                dx: 4,
                fill: 'currentColor',
                limit: 160,
              },
              encoding: {
                x: timeAxis('at', time.title),
                y: { value: 2 },
                text: { field: 'fault', type: 'nominal' as const },
              },
            },
          ]),
    ],
  }));
}

export async function replicasChart(result: RunResult, service: string | null, text: ChartText): Promise<Markup> {
  return countsByZone(result, 'replicas', (one, zone) => replicasIn(one, zone, service), text);
}

export async function nodesChart(result: RunResult, text: ChartText): Promise<Markup> {
  return countsByZone(result, 'nodes', nodesIn, text);
}

/** Areas stacked by zone over time, one panel a policy. */
async function countsByZone(
  result: RunResult,
  title: string,
  read: (replication: ReplicationResult, zone: string) => readonly number[],
  text: ChartText,
): Promise<Markup> {
  const time = timeUnit(result.durationSeconds);
  const values: Values = result.policies.flatMap((policy) =>
    result.zones.flatMap((zone) =>
      bandOf(policy, (one) => read(one, zone)).map(({ atSeconds, middle }) => ({
        policy: policy.policy,
        zone,
        at: atSeconds / time.seconds,
        middle,
      })),
    ),
  );
  return draw(text, values, (shape) => ({
    data: { values: [...values] },
    facet: panels(result, shape),
    spacing: 14,
    spec: {
      width: shape.widthPixels,
      height: 96,
      mark: {
        type: 'area',
        opacity: 0.75,
        interpolate: 'step-after',
        strokeWidth: 1,
        stroke: 'currentColor',
        strokeOpacity: 0.5,
      },
      encoding: {
        x: timeAxis('at', time.title),
        y: { field: 'middle', type: 'quantitative', stack: 'zero', axis: { title, tickCount: 3 } },
        color: {
          field: 'zone',
          type: 'nominal',
          sort: null,
          scale: colorScale(result.zones),
          legend: legendOf(shape, result.zones),
        },
        order: { field: 'zone', type: 'nominal', sort: 'descending' },
      },
    },
  }));
}

/** One panel a policy. */
function panels(result: RunResult, shape: Shape) {
  return {
    row: {
      field: 'policy',
      type: 'nominal' as const,
      sort: result.policies.map((policy) => policy.policy),
      header: {
        title: null,
        labelOrient: 'top' as const,
        labelAnchor: 'start' as const,
        labelColor: 'currentColor',
        labelFontSize: 12,
        labelLimit: shape.widthPixels,
      },
    },
  };
}

/** Waiting messages over time, a line for each queue. */
export async function queueChart(result: RunResult, names: readonly string[], text: ChartText): Promise<Markup> {
  const time = timeUnit(result.durationSeconds);
  const values: Values = result.policies.flatMap((policy) =>
    names.flatMap((name) =>
      bandOf(policy, ({ series }) => series.queues?.find(({ queue }) => queue === name)?.lengths ?? []).map(
        ({ atSeconds, middle }) => ({ policy: policy.policy, queue: name, at: atSeconds / time.seconds, middle }),
      ),
    ),
  );
  return draw(text, values, (shape) => ({
    data: { values: [...values] },
    facet: panels(result, shape),
    spacing: 14,
    spec: {
      width: shape.widthPixels,
      height: 110,
      mark: { type: 'line', strokeWidth: 2 },
      encoding: {
        x: timeAxis('at', time.title),
        y: { field: 'middle', type: 'quantitative', axis: { title: 'messages', tickCount: 3 } },
        color: {
          field: 'queue',
          type: 'nominal',
          sort: null,
          scale: colorScale(names),
          legend: legendOf(shape, names),
        },
      },
    },
  }));
}

export interface CostBar {
  readonly policy: string;
  readonly part: string;
  readonly usdPerHour: number;
}

export async function costChart(bars: readonly CostBar[], text: ChartText): Promise<Markup> {
  const policies = [...new Set(bars.map((bar) => bar.policy))];
  const parts = [...new Set(bars.map((bar) => bar.part))];
  const values: Values = bars.map((bar) => ({ ...bar, place: parts.indexOf(bar.part) }));
  return draw(text, values, (shape) => ({
    data: { values: [...values] },
    width: shape.name === 'wide' ? shape.widthPixels - 120 : shape.widthPixels,
    height: { step: shape.name === 'wide' ? 34 : 50 },
    mark: { type: 'bar', height: 20, stroke: 'currentColor', strokeOpacity: 0.4, strokeWidth: 0.5 },
    encoding: {
      x: { field: 'usdPerHour', type: 'quantitative', stack: 'zero', axis: { title: 'USD an hour', tickCount: 5 } },
      y: {
        field: 'policy',
        type: 'nominal',
        sort: policies,
        axis:
          shape.name === 'wide'
            ? { title: null, labelLimit: 150, grid: false }
            : {
                title: null,
                labelLimit: 280,
                labelAlign: 'left',
                labelOffset: -18,
                labelPadding: -4,
                ticks: false,
                domain: false,
                grid: false,
              },
      },
      color: { field: 'part', type: 'nominal', sort: null, scale: colorScale(parts), legend: legendOf(shape, parts) },
      order: { field: 'place', type: 'quantitative' },
    },
  }));
}

/** Axes without a point on them would say "from NaN to NaN" to a screen reader. */
async function draw(text: ChartText, values: Values, specOf: (shape: Shape) => object): Promise<Markup> {
  if (!values.some((value) => typeof (value['middle'] ?? value['usdPerHour']) === 'number'))
    return markup`<p class="soft">Nothing to draw: the run has no point of this series.</p>\n`;
  const drawings: Markup[] = [];
  for (const shape of shapes) {
    const spec = {
      ...specOf(shape),
      description: text.description,
      background: null,
      config,
    } as unknown as TopLevelSpec;
    drawings.push(markup`<div class="${shape.name}">${raw(await svgOf(spec, `${text.id}-${shape.name}`))}</div>\n`);
  }
  return markup`${drawings}`;
}

const config = {
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    domainColor: 'currentColor',
    tickColor: 'currentColor',
    gridColor: 'currentColor',
    gridOpacity: 0.15,
    labelFontSize: 11,
    titleFontSize: 11,
  },
  legend: { labelColor: 'currentColor', titleColor: 'currentColor', labelFontSize: 12 },
};

/** Loaded when the first chart is drawn: together they take longer to load than `--version` may take in all. */
async function svgOf(spec: TopLevelSpec, id: string): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none', logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  return ownIds(svg, id);
}

/** Vega numbers its clip paths through the life of the process; here they count from 0 and carry the chart's name. */
function ownIds(svg: string, id: string): string {
  const numbers = new Map<string, number>();
  const own = (name: string): string => {
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return `${id}-${numbers.get(name)}`;
  };
  return svg
    .replace(/ id="([^"]*)"/gu, (_, name: string) => ` id="${own(name)}"`)
    .replace(/url\(#([^)]*)\)/gu, (_, name: string) => `url(#${own(name)})`)
    .replace(/ xmlns:xlink="[^"]*"/u, '');
}

function timeUnit(durationSeconds: number): { readonly seconds: number; readonly title: string } {
  if (durationSeconds < 600) return { seconds: 1, title: 'seconds' };
  return durationSeconds < 3 * 3600 ? { seconds: 60, title: 'minutes' } : { seconds: 3600, title: 'hours' };
}

function timeAxis(field: string, title: string): { field: string; type: 'quantitative'; axis: object; scale: object } {
  return {
    field,
    type: 'quantitative',
    scale: { nice: false, zero: true },
    axis: { title, tickCount: 6, grid: false },
  };
}

/** A collapse under load spans decades and would flatten everything else on a linear axis. */
function scaleOf(values: readonly number[]): {
  readonly type: 'linear' | 'log';
  readonly zero?: boolean;
  readonly nice: boolean;
} {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0 || positive.length < values.length) return { type: 'linear', zero: true, nice: true };
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  return most / least > 40 ? { type: 'log', nice: true } : { type: 'linear', zero: true, nice: true };
}

function colorScale(names: readonly string[]): { domain: string[]; range: string[] } {
  return { domain: [...names], range: names.map((_, index) => colors[index % colors.length] ?? '#888') };
}

function legendOf(shape: Shape, names: readonly string[]): object {
  const longest = Math.max(...names.map((name) => name.length), 1);
  // Vega without a canvas takes a letter for 0.8 of its size: about 10 pixels here, and 40 for the symbol.
  const columns = Math.max(1, Math.min(names.length, Math.floor(shape.widthPixels / (longest * 10 + 40))));
  return { orient: 'bottom', title: null, columns, labelLimit: shape.widthPixels - 40, symbolSize: 160 };
}
