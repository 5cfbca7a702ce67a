/**
 * Karpenter's NodePools (karpenter.sh/v1): limits, weight, taints and instance types go to the pool that its nodes make, and how nodes
 * are given up to the autoscaler of nodes. Consolidation is set for all pools alike in a scenario, so that of the first
 * NodePool holds. Types without a price in the book of the pool cannot be bought there.
 */
import { PRICE_BOOKS } from '../prices.js';
import { own } from '../raw.js';
import type { Problem } from '../problems.js';
import * as units from '../units.js';
import { fieldsOf, type Fields } from './fields.js';
import type { Ledger } from './ledger.js';
import { taintsOf } from './nodes.js';
import type { KubeObject, Raw } from './read.js';

export interface KarpenterFound {
  /** By name of the pool. */
  readonly pools: ReadonlyMap<string, KarpenterPool>;
  readonly where: string;
  /** As a scenario writes them; only what is stated. */
  readonly settings: Readonly<Record<string, string | number>>;
}

interface KarpenterPool {
  readonly limits: { readonly cpu?: number; readonly memory?: number; readonly nodes?: number };
  readonly weight: number | null;
  /** Null: the type of its nodes. */
  readonly instanceTypes: readonly string[] | null;
  /** Of the nodes to come, and so of all. */
  readonly taints: readonly Raw[];
}

const INSTANCE_TYPE = 'node.kubernetes.io/instance-type';

/** Null where there is none that any node belongs to. */
export function readKarpenter(
  objects: readonly KubeObject[],
  pools: readonly { readonly name: string; readonly priceBook: string | null; readonly taints: readonly Raw[] }[],
  ledger: Ledger,
  problems: Problem[],
): KarpenterFound | null {
  const found = new Map<string, KarpenterPool>();
  let first: Pick<KarpenterFound, 'where' | 'settings'> | null = null;
  for (const object of objects) {
    const version = String(object.value['apiVersion']);
    if (object.kind !== 'NodePool' || !version.startsWith('karpenter.sh/')) continue;
    const pool = pools.find(({ name }) => name === object.name);
    if (version !== 'karpenter.sh/v1') ledger.leaveOut(object, 'only karpenter.sh/v1 is read');
    else if (pool === undefined) ledger.leaveOut(object, 'no node of the input belongs to it: its size is not known');
    else if (pool.priceBook === null)
      ledger.leaveOut(object, 'Karpenter chooses by price, and that of its nodes is not known');
    else {
      const fields = fieldsOf(object, problems);
      ledger.use(object);
      found.set(pool.name, readPool(object, fields, pool.priceBook, pool.taints, ledger));
      const settings = readDisruption(object, fields, ledger);
      first ??= { where: object.where, settings };
      if (JSON.stringify(settings) !== JSON.stringify(first.settings))
        ledger.note(object, `its nodes are given up as those of ${first.where}`);
    }
  }
  return first && { ...first, pools: found };
}

function readPool(
  object: KubeObject,
  fields: Fields,
  priceBook: string,
  nodeTaints: readonly Raw[],
  ledger: Ledger,
): KarpenterPool {
  const limit = (what: string) => fields.quantity(['spec', 'limits', what]);
  const [cpu, memory, nodes] = [limit('cpu'), limit('memory'), limit('nodes')];
  const requirements = fields.list(['spec', 'template', 'spec', 'requirements']);
  const named = requirements.find(({ key, operator }) => key === INSTANCE_TYPE && operator === 'In');
  const types = (Array.isArray(named?.['values']) ? named['values'] : []).map(String);
  const known = types.filter((type) => own(PRICE_BOOKS[priceBook]!.instances, type) !== undefined);
  if (known.length < types.length)
    ledger.note(
      object,
      `instance types without a price are left out: ${types.filter((type) => !known.includes(type)).join(', ')}`,
    );
  if (requirements.some((one) => one !== named))
    ledger.note(object, 'of its requirements only a list of instance types is simulated');
  return {
    limits: {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
      ...(nodes === undefined ? {} : { nodes }),
    },
    weight: fields.whole(['spec', 'weight']) ?? null,
    instanceTypes: known.length === 0 ? null : known,
    taints: readTaints(object, fields, nodeTaints, ledger),
  };
}

/**
 * Karpenter replaces nodes that differ from their NodePool, so its taints hold. Those of the start-up are gone once the
 * node takes pods, and it is here as soon as it is ready.
 */
function readTaints(object: KubeObject, fields: Fields, nodeTaints: readonly Raw[], ledger: Ledger): Raw[] {
  const taints = taintsOf(fields, ['spec', 'template', 'spec', 'taints']);
  const passing = taintsOf(fields, ['spec', 'template', 'spec', 'startupTaints']);
  const named = (list: readonly Raw[]): string =>
    list.map(({ key, effect }) => `${String(key)}:${String(effect)}`).join(', ');
  const isIn = (list: readonly Raw[]) => (one: Raw) =>
    list.some(({ key, effect }) => key === one['key'] && effect === one['effect']);
  if (passing.length > 0)
    ledger.note(object, `its startupTaints are not simulated, nodes take pods once they are ready: ${named(passing)}`);
  const others = nodeTaints.filter((one) => !isIn(taints)(one) && !isIn(passing)(one));
  if (others.length > 0)
    ledger.note(object, `taints of its nodes that it does not have are left out: ${named(others)}`);
  const missing = taints.filter((one) => !isIn(nodeTaints)(one));
  if (missing.length > 0)
    ledger.note(object, `taints that its nodes do not have yet hold for them, too: ${named(missing)}`);
  return taints;
}

function readDisruption(object: KubeObject, fields: Fields, ledger: Ledger): KarpenterFound['settings'] {
  const settings: Record<string, string | number> = {};
  const policy = fields.text(['spec', 'disruption', 'consolidationPolicy']);
  if (policy === 'WhenEmpty' || policy === 'WhenEmptyOrUnderutilized') settings['consolidationPolicy'] = policy;
  else if (policy !== undefined)
    ledger.note(object, `the policy ${policy} is not simulated: WhenEmptyOrUnderutilized holds`);
  const after = fields.text(['spec', 'disruption', 'consolidateAfter']);
  if (after !== undefined && (after === 'Never' || units.duration.parse(after).ok))
    settings['consolidateAfter'] = after;
  const budgets = fields.list(['spec', 'disruption', 'budgets']);
  const plain = budgets.filter(({ schedule, reasons }) => schedule === undefined && reasons === undefined);
  const [budget] = plain;
  if (budgets.length > 1 || plain.length < budgets.length)
    ledger.note(object, 'of its budgets one without reasons and schedule is simulated');
  const stated = budget?.['nodes'];
  const nodes = typeof stated === 'number' || typeof stated === 'string' ? `${stated}` : '';
  if (/^(\d{1,2}|100)%$/.test(nodes)) settings['disruptionBudget'] = nodes;
  else if (/^\d+$/.test(nodes)) settings['disruptionBudget'] = Number(nodes);
  return settings;
}
