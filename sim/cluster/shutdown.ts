/**
 * When a deleted pod's application is told to stop (TERM) and when it is killed (B5): the preStop hook comes first and is
 * part of the grace period, which begins with the deletion; a hook that is not done by its end is left behind. After a
 * hook the application has at least two seconds, even beyond the grace. Without grace no hook runs.
 *
 * Source: kubelet's kuberuntime_container.go (killContainer, executePreStopHook, minimumGracePeriodInSeconds). Its two
 * seconds hold without a hook too, where no grace that is usual comes near them; that case is left as the scenario says.
 */
const LEAST_AFTER_HOOK_US = 2_000_000;

export function shutdownTimes(
  { preStopUs, terminationGraceUs }: { readonly preStopUs: number; readonly terminationGraceUs: number },
  deletedUs: number,
): { readonly termUs: number; readonly killUs: number } {
  const graceEndUs = deletedUs + terminationGraceUs;
  if (preStopUs === 0 || terminationGraceUs === 0) return { termUs: deletedUs, killUs: graceEndUs };
  const termUs = Math.min(graceEndUs, deletedUs + preStopUs);
  return { termUs, killUs: Math.max(graceEndUs, termUs + LEAST_AFTER_HOOK_US) };
}
