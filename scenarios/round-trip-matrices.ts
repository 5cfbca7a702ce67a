/**
 * Round trips that somebody measured and published, by name, so that a scenario need not type them. Each is of its day and of
 * its measurer: names of zones differ by account, and paths change. What a scenario states itself comes first.
 *
 * `round-trips` turns a newer table, such as IBM's weekly one, into pairs of a scenario.
 */
export interface RoundTripMatrix {
  readonly source: string;
  readonly asOf: string;
  readonly sameZoneMs: number | null;
  readonly crossZoneMs: number | null;
  /** Regions as their cloud names them, each pair once. */
  readonly regions: readonly (readonly [from: string, to: string, roundTripMs: number])[];
}

export const ROUND_TRIP_MATRICES: Readonly<Record<string, RoundTripMatrix>> = {
  'aws-2017': {
    source: 'a table of pings between AWS regions (acomputerscientistlearnsaws); no zones',
    asOf: '2017',
    sameZoneMs: null,
    crossZoneMs: null,
    regions: [
      ['us-east-1', 'us-west-2', 87],
      ['us-east-1', 'eu-west-1', 80.5],
      ['us-east-1', 'eu-central-1', 88.7],
      ['us-east-1', 'ap-northeast-1', 145],
      ['us-east-1', 'ap-southeast-1', 217],
      ['eu-west-1', 'eu-central-1', 19.6],
    ],
  },
  'aws-zones-2023': {
    source: 'the rule of thumb of flashgrid.io for AWS: 0.5 ms within a zone, 1.5 ms between two; no regions',
    asOf: '2023-03-27',
    sameZoneMs: 0.5,
    crossZoneMs: 1.5,
    regions: [],
  },
  'azure-uk': {
    source: 'mean TCP echo of 40,000 samples on Azure B1 machines (simonpainter.com)',
    asOf: '2024',
    sameZoneMs: 0.908,
    crossZoneMs: 1.553,
    regions: [['uksouth', 'ukwest', 5.387]],
  },
};

/** Null where nobody measured the pair. */
export function betweenRegionsMs(matrix: RoundTripMatrix, from: string, to: string): number | null {
  const pair = matrix.regions.find(([a, b]) => (a === from && b === to) || (a === to && b === from));
  return pair === undefined ? null : pair[2];
}
