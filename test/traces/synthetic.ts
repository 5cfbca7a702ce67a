/**
 * Recordings with known parameters, to be recovered by learning. A shop with two request kinds: `view` calls catalog
 * three times and then ads; `buy` calls cart once. Spans have client spans with a known gap. Randomness from a seed.
 */
import seedrandom from 'seedrandom';
import type { RecordedSeries, RecordedSpan, Recording } from '../../traces/recording.js';

export const truth = {
  viewShare: 0.7,
  gapMs: 2,
  ownMs: { web: 4, catalog: 10, ads: 6, cart: 20 },
  cpuMs: { web: 3, catalog: 4, ads: 1, cart: 5 },
  idleMillicores: 40,
} as const;

type ServiceName = keyof typeof truth.ownMs;

export const services: readonly ServiceName[] = ['ads', 'cart', 'catalog', 'web'];

export function callsPerRequest(service: ServiceName): number {
  return { web: 1, catalog: 3 * truth.viewShare, ads: truth.viewShare, cart: 1 - truth.viewShare }[service];
}

export function syntheticRecording(
  seed: string,
  options: { readonly varyingRate: boolean; readonly pointCount: number },
): Recording {
  const random = seedrandom(seed);
  const rate = Array.from({ length: options.pointCount }, (_, i) =>
    options.varyingRate ? 10 + 5 * Math.sin(i / 25) : 10,
  );
  const noisy = (value: number): number => value * (1 + 0.02 * (random() - 0.5));
  const series = services.flatMap((service): RecordedSeries[] => {
    const rates = rate.map((value) => noisy(value * callsPerRequest(service)));
    const cpu = rates.map((value) => truth.idleMillicores + value * truth.cpuMs[service]);
    return [level('requestRate', service, rates), level('cpu', service, cpu)];
  });
  return {
    name: 'shop',
    startMs: 0,
    stepMs: 60_000,
    pointCount: options.pointCount,
    entry: 'web',
    services,
    edges: [
      { source: 'web', target: 'ads' },
      { source: 'web', target: 'cart' },
      { source: 'web', target: 'catalog' },
    ],
    asynchronous: [],
    series,
    spans: Array.from({ length: 600 }, (_, index) => traceOf(index, random)).flat(),
    faults: [],
    split: null,
    reports: [],
  };
}

export function level(
  role: 'requestRate' | 'cpu',
  service: string,
  values: readonly (number | null)[],
): RecordedSeries {
  return { role, service, source: null, quantile: null, reportedBy: 'destination', buckets: 'none', values };
}

/** Own times are uniform between half and one and a half times their mean; calls of one kind follow one another. */
function traceOf(index: number, random: () => number): RecordedSpan[] {
  const startMs = index * 100;
  const own = (service: ServiceName): number => truth.ownMs[service] * (0.5 + random());
  // Fewer views in the minute of spans than in the hours of rates: the shares have to be fitted.
  const calls: ServiceName[] = random() < 0.6 ? ['catalog', 'catalog', 'catalog', 'ads'] : ['cart'];
  const spans: RecordedSpan[] = [];
  let nowMs = startMs + own('web');
  calls.forEach((callee, position) => {
    const calleeMs = own(callee);
    const client = `${index}-${position}`;
    const base = { traceId: `${index}`, operation: `${callee}/get` };
    spans.push({
      ...base,
      spanId: client,
      parentId: `${index}`,
      service: 'web',
      startMs: nowMs,
      durationMs: calleeMs + truth.gapMs,
    });
    spans.push({
      ...base,
      spanId: `${client}s`,
      parentId: client,
      service: callee,
      startMs: nowMs + truth.gapMs / 2,
      durationMs: calleeMs,
    });
    nowMs += calleeMs + truth.gapMs;
  });
  const root = {
    traceId: `${index}`,
    spanId: `${index}`,
    parentId: null,
    service: 'web',
    operation: 'web/get',
    startMs,
  };
  return [{ ...root, durationMs: nowMs - startMs }, ...spans];
}
