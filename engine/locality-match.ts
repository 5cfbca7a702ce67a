/** Localities as Istio writes them, `region/zone/subzone`, where rules may put `*` for any part and leave out the last ones. */

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** `rule` is `region`, `region/zone` or `region/zone/subzone`; `locality` is `region/zone` or `region/zone/subzone`. */
export function matchesLocality(rule: string, locality: string): boolean {
  const wanted = splitLocality(rule);
  const { region, zone, subzone } = splitLocality(locality);
  return (
    (wanted.region === '*' || wanted.region === region) &&
    (wanted.zone === '*' || wanted.zone === '' || wanted.zone === zone) &&
    (wanted.subzone === '*' || wanted.subzone === '' || wanted.subzone === subzone)
  );
}

/** Parts that are left out are empty: a node without the label for subzones is in the subzone "". */
export function splitLocality(locality: string): Locality {
  const [region = '', zone = '', subzone = ''] = locality.split('/');
  return { region, zone, subzone };
}

/** Of nodes: where in their zone they stand, such as a rack. */
export const SUBZONE_LABEL = 'topology.istio.io/subzone';

/** Of pods: these go before the labels of their node, the newer one first. */
export const LOCALITY_LABELS = ['topology.istio.io/locality', 'istio-locality'];

/** What the labels of a pod say of its locality; null: nothing. Values of labels take no slash, so that dots stand there. */
export function statedLocality(labels: Readonly<Record<string, string>>): string | null {
  const label = LOCALITY_LABELS.find((key) => labels[key] !== undefined);
  const stated = label === undefined ? '' : labels[label]!;
  return stated === '' ? null : stated.split('.').slice(0, 3).join('/');
}
