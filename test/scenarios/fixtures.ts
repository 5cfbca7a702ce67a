/** A small scenario that is right in every part, and ways to break it in one place. */
import { parseScenario } from '../../scenarios/load.js';
import type { Problem } from '../../scenarios/problems.js';
import type { Scenario } from '../../scenarios/types.js';

export const SMALL = `apiVersion: wavetank/v1alpha1
kind: Scenario
metadata: {name: small, why: A test.}
spec:
  cluster:
    zones: [r1/a, r1/b]
    nodePools:
      - {name: pool, nodesPerZone: 2, instanceType: m5.xlarge, prices: aws/us-east-1}
  services:
    - name: checkout
      replicas: 4
      resources: {requests: {cpu: 500m, memory: 256Mi}, limits: {cpu: "1"}}
      workers: 4
      endpoints:
        - name: pay
          cpu: 20ms
          steps:
            - call: {to: ledger/append, probability: 0.5, count: 2}
        - {name: show, cpu: 1ms}
    - name: ledger
      replicas: 2
      resources: {requests: {cpu: 500m, memory: 256Mi}}
      workers: 2
      endpoints:
        - {name: append, cpu: {exponential: 5ms}}
  mesh:
    objects:
      - apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: checkout-rule}
        spec: {host: checkout, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 0}}}
  load:
    - entry: checkout/pay
      from: {r1/a: 70%, r1/b: 30%}
      rate: 100/s
  faults:
    - {at: 2m, for: 1m, zoneOutage: r1/a}
  policies:
    static: {}
    hpa:
      hpa: {checkout: {max: 8}}
`;

/** SMALL with pieces of its text replaced; a piece that is not there is a mistake of the test. */
export function small(...replacements: readonly (readonly [piece: string, by: string])[]): string {
  return replacements.reduce((text, [piece, by]) => {
    if (!text.includes(piece)) throw new Error(`the fixture holds no ${JSON.stringify(piece)}`);
    return text.replace(piece, () => by);
  }, SMALL);
}

export function load(text: string, file = 's.yaml'): Scenario {
  const loaded = parseScenario(text, file);
  if ('problems' in loaded) throw new Error(`not a scenario:\n${loaded.problems.map(line).join('\n')}`);
  return loaded.scenario;
}

export function problemsOf(text: string): readonly Problem[] {
  const loaded = parseScenario(text, 's.yaml');
  return 'problems' in loaded ? loaded.problems : [];
}

/** Marks the place of an expected problem in a fixture: one mark a problem, two marks for two at one place. */
export const MARK = '¦';

/** The marked places of a text as `line:column`, and the text without the marks. */
export function unmarked(marked: string): { readonly text: string; readonly places: readonly string[] } {
  const places: string[] = [];
  const lines = marked.split('\n').map((line, index) => {
    let text = '';
    for (const char of line) {
      if (char === MARK) places.push(`${index + 1}:${text.length + 1}`);
      else text += char;
    }
    return text;
  });
  return { text: lines.join('\n'), places };
}

export function linesOf(text: string): readonly string[] {
  return problemsOf(text).map(line);
}

/** `line:column code path: message`. */
export function line(problem: Problem): string {
  return `${problem.line}:${problem.column} ${problem.code} ${problem.path}: ${problem.message}`;
}
