/**
 * The file form of a scenario as one schema. It says which keys there are, reads the amounts into our base units, fills
 * the defaults, and yields the JSON Schema for editors. Names are not resolved here: that is `references.ts` (are they
 * there?) and `build.ts` (which index?). Every object is strict, so that a misspelt key is an error.
 *
 * The parts stand in `schema/`; `schema-problems.ts` makes messages of what they say was expected.
 */
import * as z from 'zod';
import { DEFAULTS } from './defaults.js';
import { cluster } from './schema/cluster.js';
import { external, queue } from './schema/external.js';
import { fault } from './schema/fault.js';
import type { hpaMetric } from './schema/hpa.js';
import { duration, text, whole } from './schema/leaves.js';
import { load } from './schema/load.js';
import { mesh } from './schema/mesh.js';
import { nodeAutoscaler } from './schema/nodeAutoscaler.js';
import { policy } from './schema/policy.js';
import { compat, run } from './schema/run.js';
import { rollout } from './schema/rollout.js';
import { service } from './schema/service.js';

export const API_VERSION = 'wavetank/v1alpha1';

export const scenarioSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION, { error: API_VERSION }),
    kind: z.literal('Scenario', { error: 'Scenario' }),
    metadata: z.strictObject({ name: text('Name of the scenario.'), why: text('What question it answers.') }),
    spec: z.strictObject({
      compat: compat.prefault({}).meta({ description: 'Releases, where a rule has changed between them.' }),
      cluster,
      gateways: z
        .strictObject({
          perZone: whole(1, 'Ingress gateway proxies in each zone.').prefault(DEFAULTS.gateways.perZone),
          failover: duration('After a zone is lost: until its users are sent to other zones.').prefault(
            DEFAULTS.gateways.failover,
          ),
        })
        .prefault({}),
      nodeAutoscaler: nodeAutoscaler.nullable().optional(),
      services: z.array(service, { error: 'a list of services' }).min(1),
      externals: z
        .array(external, { error: 'a list of external services' })
        .prefault([])
        .meta({ description: 'What answers from beside the cluster: managed databases, APIs on the internet.' }),
      queues: z
        .array(queue, { error: 'a list of queues' })
        .prefault([])
        .meta({ description: 'Queues of messages, which endpoints publish to and pods consume.' }),
      mesh,
      load: z.array(load, { error: 'a list of loads' }).min(1),
      faults: z.array(fault, { error: 'a list of faults' }).prefault([]),
      rollouts: z.array(rollout, { error: 'a list of rollouts' }).prefault([]),
      policies: z.record(z.string(), policy, { error: 'a mapping from name to policy' }).prefault({ static: {} }),
      run: run.prefault({}),
      expectations: z.array(text('A gate.'), { error: 'a list of expectations' }).prefault([]),
    }),
  })
  .meta({
    title: 'Scenario',
    description: 'A Wavetank scenario: a cluster, its services, load and faults, and the policies to compare.',
  });

export type ScenarioFile = z.output<typeof scenarioSchema>;
export type ServiceFile = ScenarioFile['spec']['services'][number];
export type StepFile = ServiceFile['endpoints'][number]['steps'][number];
export type ExternalFile = ScenarioFile['spec']['externals'][number];
export type QueueFile = ScenarioFile['spec']['queues'][number];
export type WaypointFile = ScenarioFile['spec']['mesh']['waypoints'][number];
export type CallFile = NonNullable<StepFile['call']>;
export type PolicyFile = ScenarioFile['spec']['policies'][string];
export type LoadFile = ScenarioFile['spec']['load'][number];
export type ClusterFile = ScenarioFile['spec']['cluster'];
export type NodeAutoscalerFile = z.output<typeof nodeAutoscaler>;
export type HpaMetricFile = z.output<typeof hpaMetric>;

/** JSON Schema (draft 2020-12) of a kind of file, for editors. */
export function jsonSchema(kind: 'Scenario'): Record<string, unknown> {
  const schemas = { Scenario: scenarioSchema };
  return z.toJSONSchema(schemas[kind], { target: 'draft-2020-12', io: 'input' });
}
