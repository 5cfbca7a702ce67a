/**
 * Measured round trips between zones from a table, as cloud providers publish them: a row for each pair, with columns for
 * its source, its destination and the mean round trip in milliseconds, under any of the headings below. Zones that were
 * measured against each other are one region: providers measure zones only within regions, and name them alike.
 */
import { parse } from 'csv-parse/sync';

export interface MeasuredZones {
  /** `region/zone`, in the order of the table. */
  readonly zones: readonly string[];
  /** Mean over the zones; null: the table has no zone with itself. */
  readonly sameZoneMs: number | null;
  /** Each pair once, the mean of both directions. */
  readonly pairs: readonly { readonly between: readonly [string, string]; readonly roundTripMs: number }[];
}

const SOURCE = /^(source|from)(_(zone|region|az))?$/i;
const DESTINATION = /^(destination|dest|to)(_(zone|region|az))?$/i;
const ROUND_TRIP = /^(rtt|round_?trip)(_(avg|mean))?_ms$/i;

interface Row {
  readonly from: string;
  readonly to: string;
  readonly ms: number;
}

/** `wanted`: names as in the table; empty: all. Throws with all that is wrong, each with its line. */
export function readRoundTripTable(text: string, file: string, wanted: readonly string[]): MeasuredZones {
  const { rows, byRegion } = readRows(text, file);
  const known = [...new Set(rows.flatMap(({ from, to }) => [from, to]))];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(unknown.map((name) => `${file}: no zone "${name}"; it has ${known.join(', ')}`).join('\n'));
  const kept = wanted.length === 0 ? known : known.filter((name) => wanted.includes(name));
  const regionOf = byRegion ? new Map(known.map((name) => [name, [name]])) : regions(rows, known);
  const full = new Map(kept.map((name) => [name, zoneName(name, regionOf.get(name)!)]));
  const own = rows.filter(({ from, to }) => from === to && full.has(from)).map(({ ms }) => ms);
  const pairs = kept.flatMap((a, index) =>
    kept.slice(index + 1).flatMap((b) => {
      const both = rows.filter(({ from, to }) => (from === a && to === b) || (from === b && to === a));
      return both.length === 0
        ? []
        : [{ between: [full.get(a)!, full.get(b)!] as const, roundTripMs: mean(both.map(({ ms }) => ms)) }];
    }),
  );
  return { zones: [...full.values()], sameZoneMs: own.length === 0 ? null : mean(own), pairs };
}

function readRows(text: string, file: string): { readonly rows: readonly Row[]; readonly byRegion: boolean } {
  let table: string[][];
  try {
    table = parse(text, { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new Error(`${file}: not a CSV table: ${error instanceof Error ? error.message : String(error)}`);
  }
  const [header = [], ...body] = table;
  const [source, destination, roundTrip] = [SOURCE, DESTINATION, ROUND_TRIP].map((pattern) =>
    header.findIndex((name) => pattern.test(name)),
  ) as [number, number, number];
  if (source < 0 || destination < 0 || roundTrip < 0)
    throw new Error(
      `${file}:1: the columns are ${header.join(', ') || 'missing'}; expected source_zone, destination_zone and rtt_avg_ms`,
    );
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  const rows = body.flatMap((cells, index): Row[] => {
    const line = index + 2;
    const [from, to, amount] = [cells[source]!, cells[destination]!, cells[roundTrip]!];
    const ms = amount === '' ? NaN : Number(amount);
    if (from === '' || to === '' || !(ms >= 0) || ms === Infinity) {
      problems.push(`${file}:${line}: "${cells.join(',')}" is no round trip; expected two names and milliseconds`);
      return [];
    }
    const before = lineOf.get(`${from}\n${to}`);
    if (before !== undefined) problems.push(`${file}:${line}: ${from} to ${to} stands already in line ${before}`);
    lineOf.set(`${from}\n${to}`, line);
    return [{ from, to, ms }];
  });
  if (problems.length === 0 && rows.length === 0) problems.push(`${file}: no rows below the header`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return { rows, byRegion: /region/i.test(header[source]!) };
}

/** Names of the zones that were measured against each other, at first or second hand. */
function regions(rows: readonly Row[], names: readonly string[]): Map<string, readonly string[]> {
  const regionOf = new Map(names.map((name) => [name, [name]]));
  for (const { from, to } of rows) {
    const [a, b] = [regionOf.get(from)!, regionOf.get(to)!];
    if (a === b) continue;
    const joined = [...a, ...b];
    for (const name of joined) regionOf.set(name, joined);
  }
  return regionOf;
}

/** The region is called by what the names of its zones begin with. */
function zoneName(name: string, region: readonly string[]): string {
  if (/^[^/\s]+\/[^/\s]+$/.test(name)) return name;
  const plain = (text: string): string => text.replace(/[^\w.-]+/g, '-');
  const parts = name.split('-');
  let shared = 0;
  while (shared < parts.length - 1 && region.every((one) => one.split('-')[shared] === parts[shared])) shared++;
  if (region.length === 1 || shared === 0) return `${plain(name)}/${plain(name)}`;
  return `${plain(parts.slice(0, shared).join('-'))}/${plain(parts.slice(shared).join('-'))}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
