import { type FailureReason, isTimeout, type RetryPolicy } from './execution-shape.js';

export type AfterFailure =
  | { readonly then: 'retry'; readonly delayMs: number }
  /** The policy would retry this reason, but no attempt is left. */
  | { readonly then: 'dead_letter' }
  /** The policy does not retry this reason. */
  | { readonly then: 'end' };

/**
 * Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 *
 * @param attemptsUsed attempts that count against the budget, including the failed one
 * @param random in [0, 1); part of the command, so that the decision can be replayed
 */
export function afterFailure(
  policy: RetryPolicy,
  reason: FailureReason,
  attemptsUsed: number,
  random: number,
): AfterFailure {
  const retried = isTimeout(reason) ? 'timeout' : reason;
  if (!policy.retry_on.some((wanted) => wanted === retried)) return { then: 'end' };
  if (attemptsUsed >= policy.max_attempts) return { then: 'dead_letter' };
  // Finite, because an initial delay of 0 times Infinity is NaN.
  const growth = Math.min(Number.MAX_VALUE, policy.backoff_factor ** (attemptsUsed - 1));
  const ceilingMs = Math.min(policy.max_delay_ms, policy.initial_delay_ms * growth);
  return { then: 'retry', delayMs: Math.floor(ceilingMs * random) };
}
