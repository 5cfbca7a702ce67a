/** The obvious outlier detector of one proxy: an object per endpoint, sentences of SEMANTICS A14 one by one. */

export interface SlowOutlierPolicy {
  readonly consecutive5xx: number;
  readonly consecutiveGateway: number;
  readonly intervalUs: number;
  readonly baseEjectionUs: number;
  readonly maxEjectionPercent: number;
}

export class SlowOutlierDetector {
  readonly hosts: {
    ejectedAtUs: number | null;
    returnedAtUs: number | null;
    timesEjected: number;
    inARow: number;
    gatewayInARow: number;
  }[];

  constructor(
    private readonly policy: SlowOutlierPolicy,
    count: number,
  ) {
    this.hosts = Array.from({ length: count }, () => ({
      ejectedAtUs: null,
      returnedAtUs: null,
      timesEjected: 0,
      inARow: 0,
      gatewayInARow: 0,
    }));
  }

  /** True when the answer ejects the host. */
  answer(index: number, status: 'ok' | '500' | '503' | 'none', nowUs: number): boolean {
    const host = this.hosts[index]!;
    if (status === 'ok') {
      host.inARow = 0;
      host.gatewayInARow = 0;
      return false;
    }
    let ejects = false;
    if (status === '500') host.gatewayInARow = 0;
    else if (++host.gatewayInARow === this.policy.consecutiveGateway) {
      host.gatewayInARow = 0;
      ejects = true;
    }
    if (++host.inARow === this.policy.consecutive5xx) {
      host.inARow = 0;
      ejects = true;
    }
    if (!ejects || host.ejectedAtUs !== null) return false;
    const out = this.hosts.filter(({ ejectedAtUs }) => ejectedAtUs !== null).length;
    if ((100 * (out + 1)) / this.hosts.length > this.policy.maxEjectionPercent) return false;
    host.ejectedAtUs = nowUs;
    const longestUs = Math.max(300e6, this.policy.baseEjectionUs);
    if (host.timesEjected * this.policy.baseEjectionUs < longestUs + this.policy.baseEjectionUs) host.timesEjected++;
    return true;
  }

  sweep(nowUs: number): void {
    const longestUs = Math.max(300e6, this.policy.baseEjectionUs);
    for (const host of this.hosts) {
      if (host.ejectedAtUs === null) {
        const back = host.returnedAtUs ?? -Infinity;
        if (host.timesEjected > 0 && nowUs - back >= this.policy.intervalUs) host.timesEjected--;
        continue;
      }
      if (nowUs - host.ejectedAtUs < Math.min(host.timesEjected * this.policy.baseEjectionUs, longestUs)) continue;
      Object.assign(host, { ejectedAtUs: null, returnedAtUs: nowUs, inARow: 0, gatewayInARow: 0 });
    }
  }
}
