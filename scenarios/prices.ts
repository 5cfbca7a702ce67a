/**
 * What nodes and traffic cost where a scenario does not say: a small dated table, so that a figure can be traced to a
 * list price of a day. `pricePerHour`, `allocatable` and `transfer` of a scenario override every entry.
 *
 * Nodes: on-demand list prices in US dollars an hour, from the generated price tables of Karpenter's AWS and Azure
 * providers and of the cluster autoscaler. Sizes are the instance's full vCPUs and memory: what the kubelet reserves
 * differs by distribution, so a scenario that cares states `allocatable`.
 * Traffic: per GB (10^9 bytes) moved, both ends together. AWS bills 0.01 at each end between zones; Google 0.01 a GiB to
 * the sender; Azure nothing within a virtual network. Between regions: the cheapest pairs, dearer ones are stated.
 */
export interface PriceBook {
  readonly asOf: string;
  readonly crossZoneUsdPerGb: number;
  readonly crossRegionUsdPerGb: number;
  readonly instances: Readonly<Record<string, InstanceType>>;
}

export interface InstanceType {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly usdPerHour: number;
}

const GIB = 2 ** 30;
const GIB_PER_GB = 1e9 / GIB;

function instance(cores: number, memoryGib: number, usdPerHour: number): InstanceType {
  return { cpuMillicores: cores * 1000, memoryBytes: memoryGib * GIB, usdPerHour };
}

export const PRICE_BOOKS: Readonly<Record<string, PriceBook>> = {
  'aws/us-east-1': {
    asOf: '2026-07-20',
    crossZoneUsdPerGb: 0.02,
    crossRegionUsdPerGb: 0.02,
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
    instances: { 'e2-standard-4': instance(4, 16, 0.13402), 'n2-standard-4': instance(4, 16, 0.1942) },
  },
  'azure/eastus': {
    asOf: '2026-06-18',
    crossZoneUsdPerGb: 0,
    crossRegionUsdPerGb: 0.02,
    instances: { 'D4s-v5': instance(4, 16, 0.192), 'D4s-v6': instance(4, 16, 0.202) },
  },
  'azure/westeurope': {
    asOf: '2026-06-18',
    crossZoneUsdPerGb: 0,
    crossRegionUsdPerGb: 0.02,
    instances: { 'D4s-v5': instance(4, 16, 0.23), 'D4s-v6': instance(4, 16, 0.242) },
  },
};
