/**
 * The built-in scenarios, by name. What each is for stands in its own `why`. The files lie in `scenarios/library/`; who
 * reads them (the command line, from its own folder) hands in the text, as nothing here touches a disk.
 */
export const LIBRARY_NAMES = [
  'online-boutique',
  'hot-zone',
  'zone-outage',
  'diurnal-with-burst',
  'irregular-twelve',
  'chain-of-three',
  'node-autoscaling',
  'order-queue',
] as const;

export type LibraryName = (typeof LIBRARY_NAMES)[number];

/** What runs when nothing is named. */
export const DEFAULT_SCENARIO: LibraryName = 'online-boutique';

export interface LibraryScenario {
  readonly name: LibraryName;
  /** Within the library's folder. */
  readonly fileName: string;
}

export function libraryScenarios(): readonly LibraryScenario[] {
  return LIBRARY_NAMES.map((name) => ({ name, fileName: `${name}.yaml` }));
}
