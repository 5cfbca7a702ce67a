/**
 * A policy in the file: autoscalers, engine, rules and spread that one way to run the cluster has.
 */
import * as z from 'zod';
import { hpa } from './hpa.js';
import { kubeObject } from './mesh.js';
import { nodeAutoscaler } from './nodeAutoscaler.js';
import { spread } from './service.js';
import { amountOf, flag, text, whole, word } from './leaves.js';

const percentNumber = (description: string) => amountOf(0, description);

/** How the model-based rule of the balancer reckons (engine/model/settings.ts has the defaults). */
const model = z.strictObject({
  transferWeight: amountOf(0, 'Milliseconds accepted to save a dollar per million requests.').optional(),
  queueWeight: amountOf(0, 'Milliseconds of wire that one of queueing is worth.').optional(),
  maxUtilization: amountOf(0, 'Utilisation above which a zone has no room.', 1).optional(),
  serviceVariation: amountOf(0, 'Coefficient of variation of service times.').optional(),
  hedge: amountOf(0, 'Weight of the cases in which the peak moves; 0: none.', 1).optional(),
  podConcurrency: amountOf(0, 'Requests that a pod serves at once; 0: its cores.').optional(),
  bytesPerRequest: amountOf(0, 'Bytes per request where no edge tells.').optional(),
  crossZoneUsdPerGb: amountOf(0, 'Price of a GB between zones of a region.').optional(),
  crossRegionUsdPerGb: amountOf(0, 'Price of a GB between regions.').optional(),
  floorZones: whole(1, 'Of more than five zones, how many the route lists at least.').optional(),
  minGainMs: amountOf(0, 'Gain (ms per request) from which a route is written.').optional(),
  maxDemandAgeSeconds: amountOf(0, 'Age from which demand is too old to solve for.').optional(),
  degradeShare: amountOf(0, 'Part of the way to shares by capacity per cycle then.', 1).optional(),
  rateWindowSeconds: z.number({ error: 'a number from 1' }).gte(1).optional(),
  survive: word(['zone', 'none'], 'zone: new replicas keep to places where any one zone may be lost.').optional(),
});

/** Part of an EngineConfig, by its own names; what is left out is the engine's default. */
const engine = z.strictObject({
  metric: word(
    ['cpu', 'memory', 'cpu-memory'],
    'Which utilisation the engine looks at. Default in scenarios: cpu.',
  ).optional(),
  upperThresholdPercent: percentNumber('Above: more replicas.').optional(),
  lowerThresholdPercent: percentNumber('Below: fewer replicas.').optional(),
  cpuWeight: amountOf(0, 'Weight of CPU in cpu-memory.').optional(),
  memoryWeight: amountOf(0, 'Weight of memory in cpu-memory.').optional(),
  utilizationBasis: word(['request', 'limit'], 'What utilisation is measured against.').optional(),
  responseTimeTargetMs: z.number({ error: 'a number above 0' }).gt(0).optional(),
  scaler: z
    .strictObject({
      mode: word(
        ['off', 'placement', 'full'],
        'off; placement: only where new pods go; full: replica counts too.',
      ).optional(),
      minReplicas: whole(1, 'Least replicas.').optional(),
      maxReplicas: whole(1, 'Most replicas.').optional(),
      stepRule: word(['one', 'proportional'], 'Replicas added at once.').optional(),
      maxZones: whole(1, 'Zones that must hold a replica before co-location starts.').optional(),
      maxZoneSkew: whole(0, 'Replicas that a zone may hold more than the emptiest.').optional(),
      cooldownSeconds: amountOf(0, 'Rest between two scalings of a workload.').optional(),
      coldPodGraceSeconds: amountOf(0, 'Time for which pods without metrics hold their workload still.').optional(),
      placementRule: word(['weightedSum', 'minEdge'], 'How places are scored.').optional(),
      predictive: z
        .strictObject({
          enabled: flag('Whether replicas are added ahead of what the past of a workload foresees.').optional(),
          horizonSeconds: amountOf(1, 'How far ahead.').optional(),
          seasonSeconds: whole(1, 'After that the load comes again: a day, a week.').optional(),
          sampleSeconds: whole(1, 'Means over so long are kept; 4 to 48 of them make a season.').optional(),
        })
        .optional(),
      moves: z
        .strictObject({
          enabled: flag('Whether running replicas go to nodes nearer to their neighbours.').optional(),
          minSavingPercent: amountOf(0, 'Least saving of neighbour latency that is worth a move.', 100).optional(),
          maxPerStep: whole(1, 'Moves begun in one cycle at most, over all workloads.').optional(),
          cooldownSeconds: amountOf(0, 'Rest between two moves of a workload.').optional(),
          timeoutSeconds: amountOf(1, 'After that a move is given up.').optional(),
        })
        .optional(),
    })
    .optional(),
  balancer: z
    .strictObject({
      enabled: flag('Whether the engine writes routes.').optional(),
      minDelta: amountOf(0, 'Least change (points) worth writing.').optional(),
      minStep: amountOf(0, 'Least step, in points.').optional(),
      maxStep: amountOf(0, 'Largest step, in points.').optional(),
      urgencyThreshold: z.number({ error: 'a number above 0' }).gt(0).optional(),
      epsilon: amountOf(0, 'Difference (points) that counts as none.').optional(),
      minLocalShare: amountOf(0, 'Least local share.', 1).optional(),
      minPlacePercent: amountOf(0, 'Least weight of a place with endpoints.', 100).optional(),
      createRoutes: flag('Write a DestinationRule where the host has none.').optional(),
      rule: word(
        ['inherited', 'model'],
        'inherited: steps by latency and load; model: least predicted cost of waits, wire and transfer.',
      ).optional(),
      model: model.optional(),
    })
    .optional(),
  workloads: z
    .record(
      z.string(),
      z.strictObject({
        minReplicas: whole(1, 'Least replicas.').optional(),
        maxReplicas: whole(1, 'Most replicas.').optional(),
      }),
    )
    .optional()
    .meta({ description: 'By service: bounds that differ.' }),
});

export const policy = z
  .strictObject({
    why: text('What the policy stands for.').optional(),
    extends: text('Policy that this one starts from.').optional(),
    hpa: z
      .record(z.string(), hpa.nullable(), { error: 'a mapping from service to autoscaler' })
      .prefault({})
      .meta({ description: 'By service: a HorizontalPodAutoscaler; null drops an inherited one.' }),
    engine: engine
      .nullable()
      .optional()
      .meta({ description: 'The Wavetank engine, by what differs from its defaults; null: off.' }),
    nodeAutoscaler: nodeAutoscaler
      .nullable()
      .optional()
      .meta({ description: 'In place of spec.nodeAutoscaler; null: the nodes are fixed.' }),
    destinationRules: z
      .array(
        z.union([z.strictObject({ remove: text('Name of the rule.') }), kubeObject], {
          error: 'a DestinationRule, or {remove: NAME}',
        }),
        { error: 'a list of DestinationRules' },
      )
      .prefault([])
      .meta({ description: 'Rules that replace those of the mesh by metadata.name, or {remove: NAME}.' }),
    spread: z.record(z.string(), spread, { error: 'a mapping from service to spread' }).prefault({}),
    deploymentPerZone: z
      .array(z.string(), { error: 'a list of services' })
      .prefault([])
      .meta({ description: 'Services with one Deployment (and one autoscaler) per zone.' }),
  })
  .meta({ description: 'One way to run the cluster: a full run on the same arrivals and demands.' });
