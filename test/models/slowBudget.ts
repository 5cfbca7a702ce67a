/** How many pods a budget lets go, by trying: take healthy pods away one by one while the budget still holds. */
export function slowDisruptionsAllowed(
  limit: { minAvailable: number | `${number}%` } | { maxUnavailable: number | `${number}%` },
  podCount: number,
  healthy: number,
  scale: number,
): number {
  const isPercent = (value: number | string): value is string => typeof value === 'string';
  const holds = (left: number): boolean => {
    if ('minAvailable' in limit) {
      const { minAvailable } = limit;
      // left / scale >= share, without a division.
      return isPercent(minAvailable) ? left * 100 >= parseInt(minAvailable, 10) * scale : left >= minAvailable;
    }
    const { maxUnavailable } = limit;
    const missing = scale - left;
    // Rounded up: one pod fewer would be within the share.
    return isPercent(maxUnavailable)
      ? missing <= 0 || (missing - 1) * 100 < parseInt(maxUnavailable, 10) * scale
      : missing <= maxUnavailable;
  };
  const expected = 'minAvailable' in limit && !isPercent(limit.minAvailable) ? podCount : scale;
  if (expected === 0) return 0;
  let allowed = 0;
  while (healthy - allowed > 0 && holds(healthy - allowed - 1)) allowed++;
  return allowed;
}
