import type { RateDecision } from './rate-limiter.js';

/** Two counters per key: the current window and the previous one, weighted by its remaining overlap. */
export interface WindowState {
  readonly window: number;
  readonly current: number;
  readonly previous: number;
}

const EMPTY: WindowState = { window: -2, current: 0, previous: 0 };

/**
 * The sliding window counter (Cloudflare, "How we built rate limiting capable of scaling to millions of domains"):
 * unlike fixed windows it allows no burst of twice the limit at a boundary, and it stores two numbers per key, where a
 * log stores every request. `sliding-window.lua` is the same in Lua; a test checks that both agree.
 * @param options.uncounted requests that were allowed earlier and are counted now, regardless of the limit
 * @param options.weight the number of requests that this one counts as
 */
export function takeFromWindow(
  state: WindowState | undefined,
  limits: { limit: number; windowMs: number },
  nowMs: number,
  { uncounted = 0, weight = 1 }: { uncounted?: number; weight?: number } = {},
): { state: WindowState; decision: RateDecision } {
  const { limit, windowMs } = limits;
  const window = Math.floor(nowMs / windowMs);
  const elapsedMs = nowMs - window * windowMs;
  const moved = movedTo(window, state ?? EMPTY);
  const current = moved.current + uncounted;
  const { previous } = moved;
  const used = current + (previous * (windowMs - elapsedMs)) / windowMs;
  const cost = costOf(weight, limit);
  const allowed = used + cost <= limit;
  return {
    state: { window, current: current + (allowed ? cost : 0), previous },
    decision: {
      allowed,
      limit,
      remaining: Math.max(0, Math.floor(limit - used - (allowed ? cost : 0))),
      resetMs: allowed ? 2 * windowMs - elapsedMs : waitMs({ current, previous, elapsedMs, limit, windowMs, cost }),
    },
  };
}

function movedTo(window: number, state: WindowState): { current: number; previous: number } {
  if (state.window === window) return state;
  return { current: 0, previous: state.window === window - 1 ? state.current : 0 };
}

/**
 * A request that counts as several is itself counted as one before its content is read. So one that counts as more than
 * the limit needs all that is left then: it is allowed after a pause, and not refused forever.
 */
export const costOf = (weight: number, limit: number): number => Math.min(weight, Math.max(1, limit - 1));

interface Refused {
  readonly current: number;
  readonly previous: number;
  readonly elapsedMs: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly cost: number;
}

/** Time until the request fits: in this window as the previous one fades out, or in the next as this one does. */
function waitMs({ current, previous, elapsedMs, limit, windowMs, cost }: Refused): number {
  const room = limit - cost - current;
  if (room >= 0 && previous > 0) return Math.max(1, Math.ceil(windowMs - elapsedMs - (room * windowMs) / previous));
  const fading = current === 0 ? 0 : Math.max(0, windowMs - ((limit - cost) * windowMs) / current);
  return Math.max(1, Math.ceil(windowMs - elapsedMs + fading));
}
