/**
 * What nodes and traffic cost where a scenario does not say: a small dated table, so that a figure can be traced to a
 * list price of a day. `pricePerHour`, `allocatable` and `transfer` of a scenario override every entry.
 *
 * Nodes: on-demand list prices in US dollars an hour, from the generated price tables of Karpenter's AWS and Azure
 * providers and of the cluster autoscaler. Sizes are the instance's full vCPUs and memory: what the kubelet reserves
 * differs by distribution, so a scenario that cares states `allocatable`.
 * Spot prices move by the hour and by the zone: only the one that a generated table states is here. What a commitment
 * costs is a contract's matter: none is here. A scenario states its own.
 * Traffic: per GB (10^9 bytes) moved, both ends together. AWS bills 0.01 at each end between zones; Google 0.01 a GiB to
 * the sender; Azure nothing within a virtual network. Between regions: the cheapest pairs, dearer ones are stated.
 * Load balancers (AWS: network load balancer, one capacity unit a GB; Google: one forwarding rule; Azure: Standard, up to
 * five rules) and NAT gateways: an hour, and a GB in either direction. The internet: a GB sent, first tier of volume.
 */
export interface PriceBook {
  readonly asOf: string;
  readonly crossZoneUsdPerGb: number;
  readonly crossRegionUsdPerGb: number;
  readonly loadBalancer: HourAndGb;
  readonly nat: NatPrice;
  readonly internetUsdPerGb: number;
  readonly instances: Readonly<Record<string, InstanceType>>;
}

export interface HourAndGb {
  readonly usdPerHour: number;
  readonly usdPerGb: number;
}

export interface NatPrice {
  readonly usdPerGb: number;
  /** Of one gateway; Google's grows with the nodes behind it. */
  usdPerHour(nodeCount: number): number;
  /** Where one stands by custom: AWS and Azure gateways are objects of a zone, Google's of a region. */
  readonly oneFor: 'zone' | 'region';
}

/** How a node is paid for. */
export type Capacity = 'onDemand' | 'spot' | 'committed';

export interface InstanceType {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly usdPerHour: Partial<Record<Capacity, number>>;
}

const GIB = 2 ** 30;
const GIB_PER_GB = 1e9 / GIB;

function instance(cores: number, memoryGib: number, onDemand: number, spot?: number): InstanceType {
  const usdPerHour = spot === undefined ? { onDemand } : { onDemand, spot };
  return { cpuMillicores: cores * 1000, memoryBytes: memoryGib * GIB, usdPerHour };
}

/** Labels by which clouds and autoscalers tell spot nodes from others, and what they say then. */
const CAPACITY_LABELS: Readonly<Record<string, Readonly<Record<string, Capacity>>>> = {
  'karpenter.sh/capacity-type': { spot: 'spot', 'on-demand': 'onDemand', reserved: 'committed' },
  'eks.amazonaws.com/capacityType': { SPOT: 'spot', ON_DEMAND: 'onDemand', CAPACITY_BLOCK: 'committed' },
  'cloud.google.com/gke-spot': { true: 'spot' },
  'cloud.google.com/gke-preemptible': { true: 'spot' },
  'kubernetes.azure.com/scalesetpriority': { spot: 'spot', regular: 'onDemand' },
};

/** Null where no label says it. */
export function capacityOfLabels(labels: Readonly<Record<string, string>>): Capacity | null {
  for (const [label, meanings] of Object.entries(CAPACITY_LABELS)) {
    const capacity = Object.hasOwn(labels, label) ? meanings[labels[label]!] : undefined;
    if (capacity !== undefined) return capacity;
  }
  return null;
}

const AZURE_NETWORK = {
  loadBalancer: { usdPerHour: 0.025, usdPerGb: 0.005 },
  nat: { usdPerGb: 0.045, usdPerHour: () => 0.045, oneFor: 'zone' },
  internetUsdPerGb: 0.087,
} as const;

/** Google's NAT: 0.0014 an hour and node, for at most 32 of them. */
const GOOGLE_NAT_NODE_HOUR_USD = 0.0014;
const GOOGLE_NAT_MOST_USD = 0.044;

export const PRICE_BOOKS: Readonly<Record<string, PriceBook>> = {
  'aws/us-east-1': {
    asOf: '2026-07-20',
    crossZoneUsdPerGb: 0.02,
    crossRegionUsdPerGb: 0.02,
    loadBalancer: { usdPerHour: 0.0225, usdPerGb: 0.006 },
    nat: { usdPerGb: 0.045, usdPerHour: () => 0.045, oneFor: 'zone' },
    internetUsdPerGb: 0.09,
    instances: {
      't3.medium': instance(2, 4, 0.0416),
      'm5.large': instance(2, 8, 0.096),
      'm5.xlarge': instance(4, 16, 0.192),
      'm6i.xlarge': instance(4, 16, 0.192),
      'm7i.xlarge': instance(4, 16, 0.2016),
      'm6g.xlarge': instance(4, 16, 0.154),
      'm7g.xlarge': instance(4, 16, 0.1632),
      'c6i.xlarge': instance(4, 8, 0.17),
    },
  },
  'gcp/us-central1': {
    asOf: '2026-06-23',
    crossZoneUsdPerGb: 0.01 * GIB_PER_GB,
    crossRegionUsdPerGb: 0.01 * GIB_PER_GB,
    loadBalancer: { usdPerHour: 0.025, usdPerGb: 0.008 * GIB_PER_GB },
    nat: {
      usdPerGb: 0.045 * GIB_PER_GB,
      usdPerHour: (nodeCount) => Math.min(GOOGLE_NAT_NODE_HOUR_USD * nodeCount, GOOGLE_NAT_MOST_USD),
      oneFor: 'region',
    },
    internetUsdPerGb: 0.12 * GIB_PER_GB,
    instances: { 'e2-standard-4': instance(4, 16, 0.13402), 'n2-standard-4': instance(4, 16, 0.1942, 0.047) },
  },
  'azure/eastus': {
    asOf: '2026-06-18',
    crossZoneUsdPerGb: 0,
    crossRegionUsdPerGb: 0.02,
    ...AZURE_NETWORK,
    instances: { 'D4s-v5': instance(4, 16, 0.192), 'D4s-v6': instance(4, 16, 0.202) },
  },
  'azure/westeurope': {
    asOf: '2026-06-18',
    crossZoneUsdPerGb: 0,
    crossRegionUsdPerGb: 0.02,
    ...AZURE_NETWORK,
    instances: { 'D4s-v5': instance(4, 16, 0.23), 'D4s-v6': instance(4, 16, 0.242) },
  },
};
