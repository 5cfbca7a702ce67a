/**
 * What the engine's words mean: reasons for leaving a workload alone, kinds of decisions, and verdicts of gates. The types
 * keep the lists whole: a word without an explanation does not compile.
 */
import type { Decision, SkipReason } from '../../engine/types.js';
import type { Verdict } from '../../reports/gates.js';

export interface Explanation {
  readonly meaning: string;
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}

export const skipReasons: Readonly<Record<SkipReason, Explanation>> = {
  withinThresholds: {
    meaning: 'The utilisation lies between the two thresholds, so the replica count is right as it is.',
    cause: 'The usual state of a workload that is sized well.',
    remedy: 'Nothing. To act earlier, move upperThresholdPercent or lowerThresholdPercent.',
  },
  cooldown: {
    meaning: 'The workload was scaled a short while ago, and rests.',
    cause: 'New pods need time to start and to show up in metrics; without a rest the count would swing.',
    remedy: 'Wait, or lower scaler.cooldownSeconds if pods of this workload start fast.',
  },
  hpaOwned: {
    meaning: 'A HorizontalPodAutoscaler names this workload as its target and owns the replica count.',
    cause: 'Two controllers on one count would fight.',
    remedy: 'Keep the HPA and let Wavetank place and route; or delete the HPA to hand the count over.',
  },
  scaledObjectOwned: {
    meaning: 'A KEDA ScaledObject names this workload as its target and owns the replica count.',
    cause: 'KEDA drives the count by an HPA of its own.',
    remedy: 'Keep it and let Wavetank place and route; or remove the ScaledObject.',
  },
  asleep: {
    meaning: 'The workload is scaled to 0 replicas.',
    cause: 'Somebody, or an activator, has put it to sleep. Waking it is not the work of this rule.',
    remedy: 'Scale it to 1 or more where it should serve.',
  },
  atMaxReplicas: {
    meaning: 'The workload is busy, but has as many replicas as it may have.',
    cause: 'scaler.maxReplicas is reached: a bound that keeps a broken metric from an unbounded bill.',
    remedy: 'Raise scaler.maxReplicas, for one workload under workloads["namespace/name"].maxReplicas.',
  },
  atMinReplicas: {
    meaning: 'The workload has little to do, but has as few replicas as it may have.',
    cause: 'scaler.minReplicas is reached.',
    remedy: 'Nothing, or lower scaler.minReplicas; the last replica is never taken.',
  },
  coldPods: {
    meaning: 'Some pods have no metrics yet, and the workload is left alone until they do.',
    cause:
      'They have just started. Later than coldPodGraceSeconds they count as idle on the way up and still block the way down.',
    remedy: 'Wait; where pods never report, look at metrics-server or the scrape of these pods.',
  },
  noRequestNorLimit: {
    meaning: 'The pods state neither a request nor a limit, so a utilisation has nothing to be measured against.',
    cause: 'The template sets none for the metric in use.',
    remedy: 'Set requests in the template, or choose another metric or utilizationBasis.',
  },
  metricsAbsent: {
    meaning: 'There are no metrics to decide on.',
    cause: 'Prometheus does not answer, or no pod of the workload has samples.',
    remedy: 'Look at the health of Prometheus and at the scrape of the pods. Nothing is changed meanwhile.',
  },
  metricsStale: {
    meaning: 'The newest sample is too old to act on.',
    cause: 'Prometheus or what feeds it lags or has stopped.',
    remedy: 'Look at the scrape targets. Old figures would scale and route for a load that has gone.',
  },
  istioAbsent: {
    meaning: 'Istio is not there, so there are no routes to set. The scaler goes on.',
    cause: 'No mesh, or its metrics do not reach Prometheus.',
    remedy: 'Nothing where no mesh is wanted (balancer.enabled: false silences this).',
  },
  notReady: {
    meaning: 'Pods that exist are not all ready, or none exists yet.',
    cause: 'A rollout, a start, or a failing probe.',
    remedy: 'Wait; where it lasts, look at the pods with kubectl describe.',
  },
  noRoom: {
    meaning: 'One more replica is wanted, but no node that may take it has room for its requests.',
    cause: 'All nodes of the zones allowed are full, cordoned, tainted or not ready.',
    remedy: 'Add nodes or let an autoscaler do so; or lower requests; or raise scaler.maxZoneSkew.',
  },
  noTraffic: {
    meaning: 'No zone sends requests to the Service, so there is nothing to balance.',
    cause: 'Nobody calls it now, or its callers are outside of the mesh.',
    remedy: 'Nothing; else check that istio_requests_total has series with this destination.',
  },
  noTarget: {
    meaning: 'No place could get a share of the traffic.',
    cause: 'None of its pods is ready on a node that is known.',
    remedy: 'Look at the pods; the routes stay as they are meanwhile.',
  },
  noDestinationRule: {
    meaning: 'No DestinationRule names the host, and none may be created.',
    cause: 'balancer.createRoutes is off by default: a rule changes how a host is balanced, also by its mere presence.',
    remedy: 'Write a DestinationRule with outlier detection for the host, or set balancer.createRoutes.',
  },
  ownedByAnother: {
    meaning: 'The route is not ours to change.',
    cause:
      'Several rules name the host, or the rule has settings that override or exclude ours (failover, port levels, subsets, zone-aware); or another workload of the same Service leads.',
    remedy: 'The detail names the rule and the setting: remove what is in the way, or leave the route to its owner.',
  },
  belowMinDelta: {
    meaning: 'The best next shares differ too little from the standing ones to be worth a write.',
    cause: 'Every write is pushed to every proxy; small ones only churn.',
    remedy: 'Nothing, or lower balancer.minDelta.',
  },
  disabled: {
    meaning: 'This part of the engine is not asked to look after the workload.',
    cause: 'Its namespace is not in namespaces, or scaler.mode leaves counts alone.',
    remedy: 'Add the namespace, or change scaler.mode, where it should.',
  },
  noService: {
    meaning: 'No Service selects the pods, so no route can lead to them.',
    cause: 'A worker that takes from a queue, say; or a snapshot that does not say which Service it is.',
    remedy: 'Nothing, or name the Service in the snapshot.',
  },
  noVictim: {
    meaning: 'A replica should go, but none could be chosen.',
    cause: 'None of the pods runs on a node that is known.',
    remedy: 'Check that the snapshot lists the nodes that its pods name.',
  },
  invalid: {
    meaning: 'What the engine was told cannot be acted on.',
    cause: 'A setting out of its range, or two workloads of one name in a namespace, whose pods cannot be told apart.',
    remedy: 'The detail says which: mend the setting, or rename one of them.',
  },
  rolloutRunning: {
    meaning: 'A new template is being rolled out, and no pod is taken or moved meanwhile.',
    cause: 'Not every replica is of the newest template and ready.',
    remedy: 'Wait; a rollout that is stuck shows in kubectl rollout status.',
  },
  ordered: {
    meaning: 'Only the highest ordinal of a StatefulSet may go, so this pod stays where it is.',
    cause: 'A better place exists for a pod that is not the last one.',
    remedy: 'Nothing: ordinals are what a StatefulSet promises.',
  },
  moving: {
    meaning: 'A replica of the workload is on its way to another node, and the next waits for it.',
    cause: 'Moves are made one at a time, the new pod ready before the old one goes.',
    remedy: 'Wait; a move that does not end is given up after scaler.moves.timeoutSeconds.',
  },
  moveLimit: {
    meaning: 'This step has made as many moves as it may.',
    cause: 'scaler.moves.maxPerStep is reached by other workloads.',
    remedy: 'Wait for the next step, or raise scaler.moves.maxPerStep.',
  },
  forecastHolds: {
    meaning: 'Fewer replicas would do now, but the forecast needs those that are there.',
    cause: 'scaler.predictive expects more load within its horizon, on a forecast that its back-test believes.',
    remedy: 'Wait; the detail has the forecast and its error. scaler.predictive.enabled: false switches it off.',
  },
  disruptionBudget: {
    meaning: 'A PodDisruptionBudget does not allow one more pod to be away.',
    cause: 'It allows none now, two of them guard one pod, or one cannot be read.',
    remedy: 'Look at its status (kubectl get pdb); wait for pods to be ready, or give it more room.',
  },
  flapping: {
    meaning: 'The count was changed the other way a short while ago, by us or by somebody else.',
    cause: 'Two who pull a count in opposite directions within one cool-down.',
    remedy: 'Wait for scaler.cooldownSeconds; where it happens often, let only one of them own the count.',
  },
  apiError: {
    meaning: 'The API server would not give a list that could forbid this.',
    cause: 'An error or a missing permission; the snapshot says which list in unreadableLists.',
    remedy: 'Mend the access. Until then nothing is taken away, moved or put to sleep.',
  },
};

export const decisionKinds: Readonly<Record<Decision['kind'], Explanation>> = {
  scaleUp: {
    meaning: 'More replicas, and where each should run.',
    cause: 'The mean utilisation is above upperThresholdPercent. The step is proportional to the overshoot, or one.',
    remedy: 'Apply it (decide -o yaml), or raise the threshold. The scheduler has the last word on nodes.',
  },
  scaleDown: {
    meaning: 'Fewer replicas, and which pods should go.',
    cause: 'The mean utilisation is below lowerThresholdPercent, and nothing forbids it.',
    remedy: 'Apply it, with a low pod-deletion-cost on the victims; or raise scaler.minReplicas to keep it.',
  },
  move: {
    meaning: 'A running replica goes to a node nearer to those it talks to.',
    cause: 'The new place saves more than scaler.moves.minSavingPercent of its latency, and nothing forbids it.',
    remedy:
      'The new pod is made and ready before the old one goes; to keep pods where they are: scaler.moves.enabled: false.',
  },
  place: {
    meaning: 'A node for a pod that a scheduling gate holds back.',
    cause: 'Every new pod of a managed workload waits for this answer where gates are used.',
    remedy: 'The gate is lifted with an affinity to the node; without an answer it is lifted by time-out.',
  },
  setRoute: {
    meaning: 'New shares of the traffic from each zone to each zone, in the localityLbSetting of a DestinationRule.',
    cause: 'The shares that fit load and latency are far enough from the standing ones.',
    remedy: 'Apply it (decide -o yaml): only this field is written. Shares move one step at a time.',
  },
};

export const verdicts: Readonly<Record<Verdict, Explanation>> = {
  passed: {
    meaning: 'The whole 95 % interval of the figure keeps the limit of the gate.',
    cause: 'The policy does what the gate asks, on all that the seeds can tell.',
    remedy: 'Nothing.',
  },
  failed: {
    meaning: 'The whole 95 % interval of the figure breaks the limit of the gate. check ends with 3.',
    cause: 'The policy does not do what the gate asks.',
    remedy: 'Look at the figure and its interval; change the policy, or the limit if it asks for too much.',
  },
  inconclusive: {
    meaning: 'The limit lies inside the 95 % interval, or the figure is missing: it cannot be told yet.',
    cause: 'Too few seeds or too short a run for so fine a limit; or nothing happened that the gate measures.',
    remedy:
      'Run more seeds (-n; the report says how many it would take). check ends with 0, or with 4 under --fail-on-inconclusive.',
  },
};
