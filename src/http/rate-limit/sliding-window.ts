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
 * @param uncounted requests that were allowed earlier and are counted now, regardless of the limit
 */
export function takeFromWindow(
  state: WindowState | undefined,
  limits: { limit: number; windowMs: number },
  nowMs: number,
  uncounted = 0,
): { state: WindowState; decision: RateDecision } {
  const { limit, windowMs } = limits;
  const window = Math.floor(nowMs / windowMs);
  const elapsedMs = nowMs - window * windowMs;
  const moved = movedTo(window, state ?? EMPTY);
  const current = moved.current + uncounted;
  const { previous } = moved;
  const used = current + (previous * (windowMs - elapsedMs)) / windowMs;
  const allowed = used + 1 <= limit;
  return {
    state: { window, current: current + (allowed ? 1 : 0), previous },
    decision: {
      allowed,
      limit,
      remaining: Math.max(0, Math.floor(limit - used - (allowed ? 1 : 0))),
      resetMs: allowed ? 2 * windowMs - elapsedMs : waitMs({ current, previous, elapsedMs, limit, windowMs }),
    },
  };
}

function movedTo(window: number, state: WindowState): { current: number; previous: number } {
  if (state.window === window) return state;
  return { current: 0, previous: state.window === window - 1 ? state.current : 0 };
}

/** Time until one more request fits: in this window as the previous one fades out, or in the next as this one does. */
function waitMs(at: { current: number; previous: number; elapsedMs: number; limit: number; windowMs: number }): number {
  const { current, previous, elapsedMs, limit, windowMs } = at;
  const room = limit - 1 - current;
  if (room >= 0 && previous > 0) return Math.max(1, Math.ceil(windowMs - elapsedMs - (room * windowMs) / previous));
  const fading = current === 0 ? 0 : Math.max(0, windowMs - ((limit - 1) * windowMs) / current);
  return Math.max(1, Math.ceil(windowMs - elapsedMs + fading));
}
