/**
 * What the kube-scheduler reads, in the file as in a pod template or a node: taints, tolerations, selectors, affinities,
 * spread constraints, gates. Checked as the API server does (core/v1 validation).
 */
import * as z from 'zod';
import * as units from '../units.js';
import { amount, duration, text, whole, word } from './leaves.js';

/** Reports at a key of the object that is being checked. */
type Wrong = (path: (string | number)[], message: string, expected: string) => void;

function wrongIn(context: z.RefinementCtx, code = 'WT0207'): Wrong {
  return (path, message, expected) =>
    context.addIssue({ code: 'custom', path, message, params: { code, expected, hint: null } });
}

const NAME_PART = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const KEY_EXPECTED = 'a label key such as disktype or example.com/disktype, the name of at most 63 characters';
const VALUE_EXPECTED = 'a label value: at most 63 letters, digits, "-", "_" and ".", a letter or digit at both ends';

function isQualifiedName(name: string): boolean {
  const parts = name.split('/');
  return parts.length <= 2 && NAME_PART.test(parts.at(-1)!) && (parts.length === 1 || PREFIX.test(parts[0]!));
}

function isLabelValue(value: string): boolean {
  return value === '' || NAME_PART.test(value);
}

const labelKey = (description: string) =>
  z
    .string({ error: KEY_EXPECTED })
    .superRefine((key, context) => {
      if (!isQualifiedName(key)) wrongIn(context, 'WT0208')([], 'not a label key', KEY_EXPECTED);
    })
    .meta({ description });
export const subzone = (description: string) =>
  z
    .string({ error: 'a name' })
    .superRefine((name, context) => {
      if (!NAME_PART.test(name)) wrongIn(context, 'WT0208')([], 'not a label value', VALUE_EXPECTED);
    })
    .meta({ description });
const labelValue = z.string({ error: 'a text, in quotes where it looks like something else' });

export const labels = (description: string) =>
  z
    .record(z.string(), labelValue, { error: 'a mapping from label to value' })
    .superRefine((pairs, context) => {
      const wrong = wrongIn(context, 'WT0208');
      for (const [key, value] of Object.entries(pairs)) {
        if (!isQualifiedName(key)) wrong([key], 'not a label key', KEY_EXPECTED);
        if (!isLabelValue(value)) wrong([key], 'not a label value', VALUE_EXPECTED);
      }
    })
    .meta({ description });

const effect = word(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'What it does to pods that do not tolerate it.');

export const taints = z
  .array(
    z.strictObject({
      key: labelKey('Key of the taint.'),
      value: labelValue.prefault(''),
      effect,
    }),
    { error: 'a list of taints, each with key, value and effect' },
  )
  .superRefine((list, context) => {
    for (const [index, { key, value, effect: what }] of list.entries()) {
      if (!isLabelValue(value)) wrongIn(context, 'WT0208')([index, 'value'], 'not a label value', VALUE_EXPECTED);
      if (list.findIndex((other) => other.key === key && other.effect === what) < index)
        wrongIn(context, 'WT0305')([index], `the taint ${key}:${what} stands twice`, 'one of each key and effect');
    }
  });

const toleration = z
  .strictObject({
    key: z.string({ error: KEY_EXPECTED }).optional(),
    operator: word(['Equal', 'Exists'], 'How key and value are compared.').prefault('Equal'),
    value: labelValue.optional(),
    effect: effect.optional(),
    tolerationSeconds: z.int({ error: 'whole seconds' }).optional(),
  })
  .superRefine(({ key = '', operator, value = '', effect: what, tolerationSeconds }, context) => {
    const wrong = wrongIn(context);
    if (key === '' && operator !== 'Exists') wrong(['operator'], 'a toleration of every key', 'operator: Exists');
    if (key !== '' && !isQualifiedName(key)) wrongIn(context, 'WT0208')(['key'], 'not a label key', KEY_EXPECTED);
    if (operator === 'Exists' && value !== '') wrong(['value'], 'a value beside operator Exists', 'no value');
    if (!isLabelValue(value)) wrongIn(context, 'WT0208')(['value'], 'not a label value', VALUE_EXPECTED);
    if (tolerationSeconds !== undefined && what !== 'NoExecute')
      wrong(['tolerationSeconds'], 'a time beside another effect', 'effect: NoExecute');
  });

const LABEL_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

const requirement = <const T extends readonly ['In', ...string[]]>(operators: T, key: z.ZodType<string, string>) =>
  z
    .strictObject({
      key,
      operator: word(operators, 'How the value of the label is compared.'),
      values: z.array(z.string({ error: 'a text' }), { error: 'a list of texts' }).prefault([]),
    })
    .superRefine(({ operator, values }, context) => {
      const wrong = wrongIn(context);
      const what: string = operator;
      if ((what === 'In' || what === 'NotIn') && values.length === 0)
        wrong(['values'], `${what} without values`, 'at least one value');
      if ((what === 'Exists' || what === 'DoesNotExist') && values.length > 0)
        wrong(['values'], `values beside operator ${what}`, 'no values');
      if ((what === 'Gt' || what === 'Lt') && !(values.length === 1 && /^[+-]?\d+$/.test(values[0]!)))
        wrong(['values'], `${what} compares with one number`, 'one whole number, in quotes');
      for (const [index, value] of values.entries())
        if (!isLabelValue(value) && !/^[+-]\d+$/.test(value))
          wrongIn(context, 'WT0208')(['values', index], 'not a label value', VALUE_EXPECTED);
    });

const selector = z
  .strictObject({
    matchLabels: labels('Labels that must stand with this value.').prefault({}),
    matchExpressions: z
      .array(requirement(LABEL_OPERATORS, labelKey('Key of the label.')), { error: 'a list of requirements' })
      .prefault([]),
  })
  .meta({ description: 'A label selector; empty: every pod.' });

const nodeTerm = z.strictObject({
  matchExpressions: z
    .array(requirement([...LABEL_OPERATORS, 'Gt', 'Lt'], labelKey('Key of the label.')), {
      error: 'a list of requirements',
    })
    .prefault([]),
  matchFields: z
    .array(requirement(['In', 'NotIn'], z.literal('metadata.name', { error: 'metadata.name' })), {
      error: 'a list of requirements',
    })
    .superRefine((list, context) => {
      for (const [index, { values }] of list.entries())
        if (values.length > 1) wrongIn(context)([index, 'values'], 'several names of nodes', 'one name');
    })
    .prefault([]),
});

/** The two that the scheduler's own short forms stand for. */
const SHORT_KEYS: Readonly<Record<string, string>> = {
  zone: 'topology.kubernetes.io/zone',
  hostname: 'kubernetes.io/hostname',
};

const topologyKey = z
  .string({ error: 'a label key such as topology.kubernetes.io/zone' })
  .superRefine((key, context) => {
    const long = Object.hasOwn(SHORT_KEYS, key) ? SHORT_KEYS[key] : undefined;
    if (long !== undefined) wrongIn(context, 'WT0208')([], 'not the label that nodes have', long);
    else if (!isQualifiedName(key)) wrongIn(context, 'WT0208')([], 'not a label key', KEY_EXPECTED);
  })
  .meta({ description: 'Label of nodes whose values tell the domains apart.' });

const podTerm = z.strictObject({ labelSelector: selector.optional(), topologyKey });
const weight = z.int({ error: 'a whole number from 1 to 100' }).min(1).max(100).meta({ description: 'Of this wish.' });
const podRules = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm, { error: 'a list of terms' }).prefault([]),
  preferredDuringSchedulingIgnoredDuringExecution: z
    .array(z.strictObject({ weight, podAffinityTerm: podTerm }), { error: 'a list of weighted terms' })
    .prefault([]),
});

const affinity = z.strictObject({
  nodeAffinity: z
    .strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: z
        .strictObject({ nodeSelectorTerms: z.array(nodeTerm, { error: 'a list of terms' }).min(1) })
        .optional(),
      preferredDuringSchedulingIgnoredDuringExecution: z
        .array(z.strictObject({ weight, preference: nodeTerm }), { error: 'a list of weighted terms' })
        .prefault([]),
    })
    .prefault({}),
  podAffinity: podRules.prefault({}),
  podAntiAffinity: podRules.prefault({}),
});

const policy = (description: string) => word(['Honor', 'Ignore'], description);

const spreadConstraint = z
  .strictObject({
    maxSkew: whole(1, 'Pods that a domain may hold more than the emptiest.'),
    topologyKey,
    whenUnsatisfiable: word(['DoNotSchedule', 'ScheduleAnyway'], 'A rule, or a wish.'),
    labelSelector: selector.optional(),
    matchLabelKeys: z
      .array(labelKey('Key of a label of the pod, whose value is added to the selector.'), {
        error: 'a list of labels',
      })
      .prefault([]),
    minDomains: whole(1, 'With fewer domains the emptiest counts as 0.').optional(),
    nodeAffinityPolicy: policy('Whether only nodes count that the affinity to nodes allows.').prefault('Honor'),
    nodeTaintsPolicy: policy('Whether only nodes count whose taints are tolerated.').prefault('Ignore'),
  })
  .superRefine(({ whenUnsatisfiable, minDomains, labelSelector, matchLabelKeys }, context) => {
    const wrong = wrongIn(context);
    if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule')
      wrong(['minDomains'], 'minDomains in a wish', 'whenUnsatisfiable: DoNotSchedule');
    if (matchLabelKeys.length > 0 && labelSelector === undefined)
      wrong(['matchLabelKeys'], 'matchLabelKeys without labelSelector', 'a labelSelector as well');
    const selected = [
      ...Object.keys(labelSelector?.matchLabels ?? {}),
      ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key),
    ];
    for (const [index, key] of matchLabelKeys.entries())
      if (selected.includes(key)) wrong(['matchLabelKeys', index], 'stands in labelSelector as well', 'another label');
  });

const spreadConstraints = z.array(spreadConstraint, { error: 'a list of constraints' }).superRefine((list, context) => {
  for (const [index, { topologyKey: key, whenUnsatisfiable: when }] of list.entries())
    if (list.findIndex((other) => other.topologyKey === key && other.whenUnsatisfiable === when) < index)
      wrongIn(context, 'WT0305')([index], `a second ${when} over ${key}`, 'one of each topologyKey and kind');
});

const gates = z
  .array(
    z.strictObject({
      name: labelKey('Name of the gate.'),
      liftedAfter: duration('From the creation of a pod until its gate is lifted.'),
    }),
    { error: 'a list of gates, each with name and liftedAfter' },
  )
  .superRefine((list, context) => {
    for (const [index, { name }] of list.entries())
      if (list.findIndex((other) => other.name === name) < index)
        wrongIn(context, 'WT0305')([index, 'name'], `the gate ${name} stands twice`, 'another name');
  });

/** What Kubernetes keeps for its own classes lies above. */
const HIGHEST_PRIORITY = 1_000_000_000;
const LOWEST_PRIORITY = -(2 ** 31);

/** Keys of a service, as they stand in a pod template. */
export const podScheduling = {
  nodeSelector: labels('Labels that a node must have.').prefault({}),
  tolerations: z
    .array(toleration, { error: 'a list of tolerations' })
    .prefault([])
    .meta({ description: 'Taints that its pods bear.' }),
  affinity: affinity.prefault({}).meta({ description: 'Which nodes and which other pods its pods seek or shun.' }),
  topologySpreadConstraints: spreadConstraints
    .prefault([])
    .meta({ description: 'Spread over domains, in full; without any, what "spread" says holds.' }),
  priority: z
    .int({ error: `a whole number of at most ${HIGHEST_PRIORITY}` })
    .min(LOWEST_PRIORITY)
    .max(HIGHEST_PRIORITY)
    .prefault(0)
    .meta({ description: 'Orders the scheduling queue, highest first; pods of lower priority may have to make room.' }),
  image: z
    .strictObject({
      name: text('Name of the image; a node that has pulled it once holds it.'),
      size: amount(units.memory, 'Size of the image.'),
    })
    .optional()
    .meta({ description: 'Image of its pods. Default: unknown, and each new pod waits for a pull of its own.' }),
  schedulingGates: gates
    .prefault([])
    .meta({ description: 'Hold new pods back until they are lifted; pods of the start are past them.' }),
};
export type PodSchedulingFile = z.output<z.ZodObject<typeof podScheduling>>;
