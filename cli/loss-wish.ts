/**
 * What `--losses` asks for: `all`, `zones`, `nodes`, `black-hole`, or `pairs:SERVICE,SERVICE`;
 * several add up, and `all` is everything but pairs.
 */
import type { LossWish } from '../scenarios/losses.js';
import { didYouMean } from '../scenarios/problems.js';
import type { Scenario } from '../scenarios/types.js';
import { InputError } from './exit-codes.js';

const KINDS = ['all', 'zones', 'nodes', 'black-hole', 'pairs:SERVICE'];
const PAIRS = 'pairs:';

export function parseLossWish(values: readonly string[], scenario: Scenario): LossWish {
  const services = scenario.services.map(({ name }) => name);
  const pairsOf = new Set<number>();
  for (const value of values) {
    if (!value.startsWith(PAIRS)) {
      if (KINDS.slice(0, 4).includes(value)) continue;
      const hint = didYouMean(value, KINDS) ?? `expected ${KINDS.join(', ')}`;
      throw new InputError(`--losses ${value}: unknown kind of loss; ${hint}`);
    }
    for (const name of value.slice(PAIRS.length).split(',')) {
      const service = services.indexOf(name);
      if (service < 0) {
        const hint = didYouMean(name, services) ?? `services are ${services.join(', ')}`;
        throw new InputError(`--losses ${value}: scenario ${scenario.name} has no service "${name}"; ${hint}`);
      }
      pairsOf.add(service);
    }
  }
  const all = values.includes('all');
  return {
    zones: all || values.includes('zones'),
    nodes: all || values.includes('nodes'),
    blackHoles: all || values.includes('black-hole'),
    pairsOf: [...pairsOf].sort((a, b) => a - b),
  };
}
