/**
 * What a recorded trace looks like once it has been read, whatever file it came from: named services, call edges, and
 * series on one regular grid in one set of units. Learning and the fidelity table know only this.
 *
 * The grid: point i stands for the time `startMs + i x stepMs`. A sample is put on the nearest point; what fell between,
 * twice on one point, or nowhere is counted in a ReadReport and never silently dropped. A point without a sample is
 * `null`, never 0: "no request" and "no measurement" are different things.
 *
 * Canonical units: requests per second, milliseconds, millicores, bytes, percent.
 */

/** What a series measures. `callCount` is calls per grid step; all others are levels or rates at the point. */
export type SeriesRole = 'requestRate' | 'callCount' | 'latency' | 'cpu' | 'cpuPercentOfLimit' | 'memory';

/** Who took the time: the callee's side, or the caller's (network and both proxies included). */
export type Reporter = 'destination' | 'source';

export interface RecordedSeries {
  readonly role: SeriesRole;
  /** The service measured; on an edge, the callee. */
  readonly service: string;
  /** The caller, when the series belongs to an edge; null for a whole service. */
  readonly source: string | null;
  /** Of a latency: 0.5 is the median, `mean` the average; null for other roles. */
  readonly quantile: number | 'mean' | null;
  readonly reportedBy: Reporter;
  /** `envoy`: read from a histogram with Envoy's bounds by linear interpolation; `none`: from the samples themselves. */
  readonly buckets: 'envoy' | 'none';
  /** One value a grid point. */
  readonly values: readonly (number | null)[];
}

/** One operation of one service in one request, as a tracer records it. */
export interface RecordedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Null for the first span of a trace. */
  readonly parentId: string | null;
  readonly service: string;
  readonly operation: string;
  readonly startMs: number;
  readonly durationMs: number;
}

/** A stretch of time in which a service was disturbed on purpose or by accident: nothing is learned from it. */
export interface FaultWindow {
  readonly service: string;
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DroppedRows {
  readonly reason: string;
  readonly count: number;
  /** Line numbers (1 = first line of the file) of the first few. */
  readonly firstLines: readonly number[];
}

/** What became of one file under one role. `rowsRead` = kept + dropped, counted per cell where one row has many. */
export interface ReadReport {
  readonly file: string;
  readonly role: string;
  readonly rowsRead: number;
  readonly rowsKept: number;
  readonly dropped: readonly DroppedRows[];
  /** Irregularities that dropped nothing: jitter, gaps, values that look like another unit. */
  readonly notes: readonly string[];
}

export interface Recording {
  readonly name: string;
  readonly startMs: number;
  readonly stepMs: number;
  /** Number of grid points. */
  readonly pointCount: number;
  /** The service that outside requests reach first. */
  readonly entry: string;
  /** Sorted by name. */
  readonly services: readonly string[];
  readonly edges: readonly { readonly source: string; readonly target: string }[];
  /** Edges whose caller does not wait for the answer. */
  readonly asynchronous: readonly { readonly source: string; readonly target: string }[];
  readonly series: readonly RecordedSeries[];
  readonly spans: readonly RecordedSpan[];
  readonly faults: readonly FaultWindow[];
  /** Times between which to learn and to replay, as the mapping asks; null: first and second half. */
  readonly split: { readonly learn: TimeSpan; readonly replay: TimeSpan } | null;
  readonly reports: readonly ReadReport[];
}

export interface TimeSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Picks a series; undefined where nothing was recorded. */
export function findSeries(
  recording: Recording,
  role: SeriesRole,
  service: string,
  options: {
    readonly source?: string | null;
    readonly quantile?: number | 'mean';
    readonly reportedBy?: Reporter;
  } = {},
): RecordedSeries | undefined {
  return recording.series.find(
    (series) =>
      series.role === role &&
      series.service === service &&
      series.source === (options.source ?? null) &&
      (options.quantile === undefined || series.quantile === options.quantile) &&
      (options.reportedBy === undefined || series.reportedBy === options.reportedBy),
  );
}

/** The points of the grid between two times; series, faults and spans are cut alike. */
export function cutRecording(recording: Recording, part: TimeSpan): Recording {
  const from = Math.max(0, Math.ceil((part.fromMs - recording.startMs) / recording.stepMs));
  const to = Math.min(recording.pointCount, Math.ceil((part.toMs - recording.startMs) / recording.stepMs));
  return {
    ...recording,
    startMs: recording.startMs + from * recording.stepMs,
    pointCount: Math.max(0, to - from),
    series: recording.series.map((series) => ({ ...series, values: series.values.slice(from, Math.max(from, to)) })),
    spans: recording.spans.filter((span) => span.startMs >= part.fromMs && span.startMs < part.toMs),
    faults: recording.faults.filter((fault) => fault.toMs > part.fromMs && fault.fromMs < part.toMs),
  };
}

/** True for the grid points that no fault window covers; with services named, only their windows count. */
export function healthyPoints(recording: Recording, services: readonly string[] | null = null): readonly boolean[] {
  const windows = recording.faults.filter((fault) => services === null || services.includes(fault.service));
  return Array.from({ length: recording.pointCount }, (_, index) => {
    const timeMs = recording.startMs + index * recording.stepMs;
    return !windows.some((fault) => timeMs >= fault.fromMs && timeMs <= fault.toMs);
  });
}
