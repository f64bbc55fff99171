import type { FastifyReply, FastifyRequest } from 'fastify';

import { clientGone, onEndOfAnswer } from './end-of-answer.js';
import { HttpProblem } from './problem.js';

export interface UserTurnsOptions {
  /** What is counted, as a refusal names it. */
  readonly name: string;
  /** Of one user at a time. */
  readonly atOnce: number;
  /** Of one user, behind those; the next one is refused. */
  readonly waitingMax: number;
  /** Who has waited for as long is refused. */
  readonly waitMsMax: number;
}

/** A waiting request is told to come again this soon. */
const RETRY_AFTER_SECONDS = 1;

interface Line {
  running: number;
  readonly waiting: Set<() => void>;
}

/**
 * So many requests of each user at a time; the next ones wait for their turn, first come, first served. Users do not
 * wait for one another: whoever sends two thousand at once is ahead of nobody but himself.
 */
export class UserTurns {
  private readonly lines = new Map<string, Line>();

  constructor(private readonly options: UserTurnsOptions) {}

  /** Requests of all users that wait for their turn. */
  get waiting(): number {
    let count = 0;
    for (const line of this.lines.values()) count += line.waiting.size;
    return count;
  }

  /**
   * Resolves when the turn has come, which ends with the answer, or with the client.
   * @returns ends it before
   * @throws HttpProblem 429 where too many wait, or for too long
   */
  async take(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const line = this.lines.get(userId) ?? { running: 0, waiting: new Set() };
    this.lines.set(userId, line);
    if (line.running < this.options.atOnce) line.running += 1;
    else await this.turnOf(line, reply);
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      this.left(userId, line);
    };
    const forget = onEndOfAnswer(reply, leave);
    return () => {
      forget();
      leave();
    };
  }

  private async turnOf({ waiting }: Line, reply: Pick<FastifyReply, 'raw'>): Promise<void> {
    const { waitingMax, waitMsMax } = this.options;
    if (waiting.size >= waitingMax) throw this.refusal();
    const turn = Promise.withResolvers<void>();
    // Whoever gives up is passed over, and never has the turn.
    const giveUp = (error: Error): void => {
      if (waiting.delete(turn.resolve)) turn.reject(error);
    };
    waiting.add(turn.resolve);
    const tooLong = setTimeout(() => giveUp(this.refusal()), waitMsMax).unref();
    const forget = onEndOfAnswer(reply, () => giveUp(clientGone()));
    try {
      await turn.promise;
    } finally {
      clearTimeout(tooLong);
      forget();
    }
  }

  private left(userId: string, line: Line): void {
    // Its place is handed on, not given back: a newcomer cannot slip in between.
    for (const next of line.waiting) {
      line.waiting.delete(next);
      next();
      return;
    }
    line.running -= 1;
    if (line.running === 0) this.lines.delete(userId);
  }

  private refusal(): HttpProblem {
    const { name, atOnce, waitingMax } = this.options;
    return new HttpProblem(429, 'concurrent_requests_exceeded', 'Rate limit exceeded', {
      details: { limit: name, max: atOnce + waitingMax },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

/** Answers that take more memory than others. */
export class LargeAnswers extends UserTurns {}

/** Of a request that is worked on: ends its turn. */
const turns = new WeakMap<object, () => void>();

export async function takeTurn(requests: UserTurns, userId: string, request: FastifyRequest, reply: FastifyReply) {
  turns.set(request.raw, await requests.take(userId, reply));
}

/** A request that waits, or follows something live, is no longer worked on: others of its user may be. */
export const endTurn = ({ raw }: FastifyRequest): void => turns.get(raw)?.();
