import { createHash } from 'node:crypto';

import type { Redis } from 'ioredis';

import { orUnavailable } from './outage.js';

/** One atomic operation. Sent by its digest; the source follows if Redis has lost it (a restart, SCRIPT FLUSH). */
export class LuaScript {
  readonly #digest: string;

  constructor(readonly source: string) {
    this.#digest = createHash('sha1').update(source).digest('hex');
  }

  /** @throws Unavailable; the script may or may not have run then */
  run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return orUnavailable(this.#evaluate(redis, keys, args));
  }

  async #evaluate(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return redis.eval(this.source, keys.length, ...keys, ...args);
    }
  }
}
