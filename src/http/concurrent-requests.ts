import type { OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { Unavailable } from '../kernel/errors.js';
import { HttpProblem } from './problem.js';
import { onResponseEnd } from './response-end.js';

/** A slot is free as soon as a request ends, but that time cannot be predicted. */
const RETRY_AFTER_SECONDS = 1;

/** Why a request stays open. */
export type ConcurrentKind = 'follow' | 'wait';

/**
 * Requests that stay open on purpose: some wait for an execution to end, others follow a live stream. Limits how many
 * one user has in this process, and ends all of them when the process stops.
 */
export class ConcurrentRequests implements OnModuleDestroy {
  private readonly endings = new Map<AbortController, { readonly userId: string; readonly kind: ConcurrentKind }>();
  private readonly ofUser = new Map<string, number>();

  constructor(private readonly perUserMax: number) {}

  /** Open requests of all users. */
  get counts(): Readonly<Record<ConcurrentKind, number>> {
    const open = [...this.endings.values()];
    const of = (kind: ConcurrentKind): number => open.filter((each) => each.kind === kind).length;
    return { follow: of('follow'), wait: of('wait') };
  }

  /**
   * Counts the request until its response is sent or its client disconnects.
   * @returns a signal that aborts at that time. It also aborts when the process stops, with Unavailable as its reason,
   *   while the client is still connected
   * @throws HttpProblem 429
   */
  enter(kind: ConcurrentKind, userId: string, reply: Pick<FastifyReply, 'raw'>): AbortSignal {
    const count = this.ofUser.get(userId) ?? 0;
    if (count >= this.perUserMax) throw refusal(this.perUserMax);
    const ending = new AbortController();
    this.ofUser.set(userId, count + 1);
    this.endings.set(ending, { userId, kind });
    onResponseEnd(reply, () => {
      this.endings.delete(ending);
      this.left(userId);
      ending.abort();
    });
    return ending.signal;
  }

  /** Runs before the server stops listening, because that waits for open requests. */
  onModuleDestroy(): void {
    for (const ending of this.endings.keys()) ending.abort(new Unavailable('server', 'shutting down'));
  }

  private left(userId: string): void {
    const count = this.ofUser.get(userId)! - 1;
    if (count > 0) this.ofUser.set(userId, count);
    else this.ofUser.delete(userId);
  }
}

const refusal = (limit: number): HttpProblem =>
  new HttpProblem(429, 'concurrent_requests_exceeded', 'Rate limit exceeded', {
    details: { limit: 'concurrent_requests', max: limit },
    headers: { 'ratelimit-limit': String(limit), 'ratelimit-remaining': '0' },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
