/**
 * The hot zone of the library, with its numbers as parameters: pods that can do 50 requests/s each and are offered 29 (58 %
 * of their workers, and of the CPU that the autoscaler looks at), and one zone in which most of the users enter.
 *
 * One thing differs from the library: a request moves 20 kB instead of 10. With 10 kB the pods alone are two thirds of
 * what locality off costs, so nothing could be 35 % cheaper; with 20 kB pods and transfer cost about the same there, as
 * in the bench that the goal was set on.
 */
import type { Fields, QualityCase } from './cases.js';

/** How often the engine looks: one setting for all cases, the interval of scrapes and of the HPA's own loop. */
export const CYCLE = '15s';

interface HotZone {
  readonly name: string;
  readonly about: string;
  readonly zones: number;
  readonly pods: number;
  /** Of the users, in the hot zone; the others share the rest. */
  readonly hotPercent: number;
  /** Of the HPA, in percent of the CPU requested. */
  readonly targetCpu: number;
  /** Times at which the peak goes on to the next zone. */
  readonly peakMovesAt: readonly string[];
  /** Index of a zone that is lost for five minutes, one minute into the measured part; 0 is the hot one. */
  readonly lostZone: number | null;
  readonly duration: string;
}

/**
 * Pods that cannot be reached are given up after a second and ejected after five such calls, all of a zone if need be, as one
 * sets it who fears to lose a zone. Answers of 503 eject nobody: an ejected busy pod leaves its work to the others. The
 * library's own cases stay without either, as their files are.
 */
const REACH: Fields = {
  connectionPool: { tcp: { connectTimeout: '1s' } },
  outlierDetection: {
    consecutive5xxErrors: 0,
    splitExternalLocalOriginErrors: true,
    consecutiveLocalOriginFailures: 5,
    interval: '5s',
    baseEjectionTime: '30s',
    maxEjectionPercent: 100,
  },
};

const STEADY: HotZone = {
  name: '',
  about: '',
  zones: 3,
  pods: 12,
  hotPercent: 70,
  targetCpu: 60,
  peakMovesAt: [],
  lostZone: null,
  duration: '6m',
};

/** Requests/s offered for each pod of the start: 350/s for 12, as in the library. */
const RATE_PER_POD = 350 / 12;

/** The hot zone's start is not what is asked: autoscalers add within two minutes, and remove after five. */
const WARM_UP = '6m';

export function hotZoneCases(): readonly QualityCase[] {
  const percents = [50, 60, 70, 80].map((hotPercent): HotZone => ({
    ...STEADY,
    name: `hot ${hotPercent} %`,
    about: `${hotPercent} % of the users enter in one of three zones. 12 pods at the start.`,
    hotPercent,
  }));
  const others: readonly Partial<HotZone>[] = [
    {
      name: 'hot 50 %, fewer pods',
      about: 'As with 50 %, but the HPA aims at 75 % of the CPU instead of 60, and takes pods away.',
      hotPercent: 50,
      targetCpu: 75,
    },
    {
      name: 'peak moves',
      about: '70 % of the users enter in one zone; after one minute it is the next one, and after four the third.',
      peakMovesAt: ['1m', '4m'],
      duration: '8m',
    },
    {
      name: 'hot zone dies',
      about: 'The zone in which 70 % of the users enter is lost for five minutes, from the first minute on.',
      lostZone: 0,
      duration: '8m',
    },
    {
      name: 'cold zone dies',
      about: 'A zone in which 15 % of the users enter is lost for five minutes, from the first minute on.',
      lostZone: 1,
      duration: '8m',
    },
    { name: '6 pods', about: '70 % of the users in one zone, with two pods in each at the start.', pods: 6 },
    {
      name: '60 pods',
      about: '70 % of the users in one zone, with twenty pods in each at the start.',
      pods: 60,
      duration: '2m',
    },
    {
      name: '10 zones',
      about: '46 % of the users enter in one of ten zones, 6 % in each of the others; 30 pods at the start.',
      zones: 10,
      pods: 30,
      hotPercent: 46,
      duration: '4m',
    },
  ];
  return [...percents, ...others.map((other) => ({ ...STEADY, ...other }))].map(hotZoneCase);
}

function hotZoneCase(hot: HotZone): QualityCase {
  const zones = Array.from({ length: hot.zones }, (_, zone) => `eu-1/${String.fromCharCode(97 + zone)}`);
  const shares = (hotZone: number): Fields => {
    const cold = (100 - hot.hotPercent) / (hot.zones - 1);
    return Object.fromEntries(zones.map((zone, index) => [zone, `${index === hotZone ? hot.hotPercent : cold}%`]));
  };
  const moves = hot.peakMovesAt.map((at, index) => ({ at, shares: shares((index + 1) % hot.zones) }));
  return {
    name: hot.name,
    about: hot.about,
    spec: {
      cluster: {
        zones,
        roundTrip: { sameNode: '0.05ms', sameZone: '0.3ms', crossZone: '1ms', jitter: { lognormal: { cv: 0.2 } } },
        nodePools: [
          {
            name: 'general',
            // Room in one zone for all of the pods, five on a node, and some more.
            nodesPerZone: Math.ceil(hot.pods / 5) + 1,
            instanceType: 'm6i.xlarge',
            prices: 'aws/us-east-1',
          },
        ],
      },
      services: [
        {
          name: 'checkout',
          replicas: hot.pods,
          resources: { requests: { cpu: '800m', memory: '512Mi' }, limits: { cpu: '1', memory: '1Gi' } },
          workers: 4,
          queue: 100,
          startUp: { imagePull: '3s', ready: { lognormal: { mean: '8s', cv: 0.3 } } },
          endpoints: [
            {
              name: 'pay',
              requestBytes: '4kB',
              responseBytes: '16kB',
              steps: [
                { cpu: { lognormal: { mean: '16ms', cv: 1 } } },
                { wait: { lognormal: { mean: '64ms', cv: 1 } } },
              ],
            },
          ],
        },
      ],
      load: [
        {
          entry: 'checkout/pay',
          from: moves.length === 0 ? shares(0) : [{ at: '0s', shares: shares(0) }, ...moves],
          rate: `${Math.round(RATE_PER_POD * hot.pods)}/s`,
        },
      ],
      faults: hot.lostZone === null ? [] : [{ at: '1m', for: '5m', zoneOutage: zones[hot.lostZone]! }],
      run: { duration: hot.duration, warmUp: WARM_UP, cycle: CYCLE },
    },
    trafficPolicy: REACH,
    hpa: { checkout: { min: hot.pods / 2, max: hot.pods * 3, targetCpu: `${hot.targetCpu}%` } },
    cost: 'attributed',
    againstPriority: hot.hotPercent === 50,
  };
}
