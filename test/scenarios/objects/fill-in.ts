/** Fills in what an imported scenario asks for, as a user would by hand: plain values that fit each key. */
const VALUES: Readonly<Record<string, string>> = {
  workers: '8',
  cpu: '1ms',
  steps: '[]',
  wait: '5ms',
  roundTrip: '20ms',
  protocol: 'tcp',
  rate: '20/s',
  pricePerHour: '0.2',
  crossZonePerGB: '0.02',
  crossRegionPerGB: '0.02',
  nodesPerZone: '4',
  instanceType: 'm6i.xlarge',
  prices: 'aws/us-east-1',
  routing: 'istio',
  memory: '64Mi',
  entry: 'user-timeline-service',
};

export function fillIn(text: string): string {
  return (
    text
      .replace('zones: [REQUIRED]', 'zones: [eu-1/a]')
      .replaceAll(/^( +)(- )?(\w+): REQUIRED/gm, (_all, indent: string, dash: string | undefined, key: string) => {
        if (VALUES[key] === undefined) throw new Error(`no value for ${key}`);
        return `${indent}${dash ?? ''}${key}: ${VALUES[key]}`;
      })
      // The same key is a time at an endpoint and an amount elsewhere; the comments tell them apart.
      .replaceAll('cpu: 1ms  # no container asks', 'cpu: 100m  # no container asks')
      .replaceAll('cpu: 1ms  # room', 'cpu: 4  # room')
  );
}
