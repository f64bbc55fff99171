import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { BODY_BYTES_MAX } from './body-parser.js';
import { HttpProblem } from './problem.js';
import { mayHaveContent, unsupportedContent } from './request-content.js';
import { clientGone, hasClientLeft, onResponseEnd } from './response-end.js';
import { SlotQueue, type SlotQueueOptions } from './slot-queue.js';
import { UserConcurrencyLimit } from './user-concurrency.js';

/** Of one user: uploads at the same time share the user's bandwidth, and end no earlier. */
const PER_USER_MAX = 1;
/** A response may contain what was sent: twenty tasks with tests of 16 MiB took 500 MiB, when others were read meanwhile. */
const RESPONSE_MS_MAX = 10_000;
/** Retry-After of a refusal. A slot is free within seconds, unless clients send slowly. */
const RETRY_AFTER_SECONDS = 5;

/**
 * Limits the bodies beyond 1 MiB that are in memory: how many are read or handled at a time, of all users and of one.
 * A request has a slot from before its content is read until its response is read, or until it has stored its content
 * and only waits. A client that disconnects does not free the slot of a body that is being handled: sending bodies and
 * disconnecting would else fill the memory.
 */
export class LargeBodies {
  private readonly ofUser: UserConcurrencyLimit;
  private readonly ofProcess: SlotQueue;

  /** @param options `concurrentMax` of all users; the other two for a user's queue and that of the process */
  constructor(options: SlotQueueOptions) {
    this.ofUser = new UserConcurrencyLimit({ ...options, name: 'large_bodies', concurrentMax: PER_USER_MAX });
    this.ofProcess = new SlotQueue(options, tooBusy);
  }

  /** Requests that wait for a slot. */
  get waiting(): number {
    return this.ofUser.waiting + this.ofProcess.waiting;
  }

  /** @throws HttpProblem 429 for too many of one user, 503 for too many of all users */
  async admit(userId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const leaveUser = await this.ofUser.take(userId, reply);
    let leaveProcess: () => void;
    try {
      // At most one request of each user is in this queue, so a user with many does not delay the others.
      leaveProcess = await this.ofProcess.take(reply);
    } catch (error) {
      leaveUser();
      throw error;
    }
    const body: HeldBody = {
      isAnswered: false,
      release: () => {
        leaveProcess();
        leaveUser();
      },
    };
    // Nothing is in memory yet, and no event would follow.
    if (hasClientLeft(reply)) {
      body.release();
      throw clientGone();
    }
    held.set(request.raw, body);
    onResponseEnd(reply, () => {
      if (body.isAnswered || !request.raw.complete) releaseLargeBody(request);
    });
  }
}

interface HeldBody {
  /** The handler has ended. */
  isAnswered: boolean;
  readonly release: () => void;
}

/** For a handler that has its values: its texts can be freed as soon as they are stored. */
export function dropBody(request: FastifyRequest): void {
  request.body = undefined;
}

/** By request. */
const held = new WeakMap<object, HeldBody>();

/** The body, or what was made of it, is no longer in memory, or soon will not be. */
export function releaseLargeBody(request: FastifyRequest): void {
  held.get(request.raw)?.release();
  held.delete(request.raw);
}

/** Releases them at the end of the response, or earlier: its client may read it slowly. */
export function limitHeldBodies(fastify: FastifyInstance): void {
  fastify.addHook('onSend', async (request, { raw }) => {
    const body = held.get(request.raw);
    if (!body) return;
    dropBody(request);
    body.isAnswered = true;
    if (raw.destroyed) releaseLargeBody(request);
    else {
      const tooLong = setTimeout(() => releaseLargeBody(request), RESPONSE_MS_MAX).unref();
      raw.once('close', () => clearTimeout(tooLong));
    }
  });
}

/** Chunked content counts as its limit: its length is not known before. */
export function isLargeBody(request: FastifyRequest): boolean {
  const { headers, routeOptions } = request;
  const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (Math.min(length, routeOptions.bodyLimit) <= BODY_BYTES_MAX) return false;
  // What is unsupported is refused at its first byte.
  return mayHaveContent(headers) && !unsupportedContent(request);
}

const tooBusy = (): HttpProblem =>
  new HttpProblem(503, 'too_many_large_bodies', 'Too many large request bodies at a time', {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
