import { trace } from '@opentelemetry/api';

import { DomainError } from '../../kernel/errors.js';
import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { RecordedCommand, RecordedCommands } from '../../event-sourcing/core/recorded-commands.js';
import type { Exchange } from '../http-commands.js';
import type { ReadYourWrites } from '../read-your-writes.js';
import { HttpProblem } from '../problem.js';
import { KeyedRequest } from './idempotency-key.js';

/** For so long a key stands for its first request. */
export const KEY_LIFETIME_MS = 24 * 3_600_000;
/** Looked for with one query; a key that was used anew each day needs a second one after a month. */
const GENERATIONS_AT_ONCE = 32;

/** Belongs into the metadata of the command that a request gives. */
export type CommandMark = Pick<EventMetadata, 'command_id' | 'command_digest'>;

/** What a request has made, or an earlier one under the same key. */
export interface IdempotentResult {
  readonly id: string;
  /** What to answer: the stream after the event that was recorded for it. Undefined without a key: as it is now. */
  readonly version: number | undefined;
}

/**
 * Requests under an Idempotency-Key. The key is part of the log and of nothing else: the last event of what a request
 * records has an id that follows from it. So a repeat finds that event, also after a restart and in another process, its
 * answer is made of the events again, and of two at the same time the log takes one. A refusal leaves nothing behind:
 * its key is free.
 */
export class IdempotentRequests {
  constructor(
    private readonly recorded: RecordedCommands,
    private readonly readYourWrites: ReadYourWrites,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * @param perform gives the command, with the mark in its metadata, and answers the id of what it made
   * @throws HttpProblem 400 for a malformed key, 422 for one that stands for another request
   */
  async run(
    exchange: Exchange,
    userId: string,
    perform: (mark: CommandMark) => Promise<string>,
  ): Promise<IdempotentResult> {
    const request = KeyedRequest.of(exchange.request, userId);
    if (!request) return { id: await perform({}), version: undefined };
    const slot = await this.slotOf(request);
    if (typeof slot !== 'string') return this.replay(slot, request, exchange);
    let id: string;
    try {
      id = await perform({ command_id: slot, command_digest: request.digest });
    } catch (error) {
      // Its twin was quicker: the log refused the second, or the decision already saw what the first had done.
      const twin = error instanceof DomainError ? await this.find(slot) : undefined;
      if (!twin) throw error;
      return this.replay(twin, request, exchange);
    }
    const made = await this.find(slot);
    // An append that says the very same as its twin's is answered by the log as that one's repeat.
    if (made && made.requestId !== exchange.request.id) return this.replay(made, request, exchange);
    return { id, version: made?.version };
  }

  /** @returns the command that the key stands for, or the id of the one to come */
  private async slotOf(request: KeyedRequest): Promise<RecordedCommand | string> {
    for (let first = 0; ; first += GENERATIONS_AT_ONCE) {
      const ids = Array.from({ length: GENERATIONS_AT_ONCE }, (_, n) => request.commandId(first + n));
      const found = new Map((await this.recorded.find(ids)).map((command) => [command.commandId, command]));
      // One after the other: a generation is begun only where the one before it is over.
      if (found.size === ids.length && !this.isInForce(found.get(ids.at(-1)!)!)) continue;
      const newest = found.get(ids[found.size - 1] ?? '');
      return newest && this.isInForce(newest) ? newest : ids[found.size]!;
    }
  }

  private isInForce({ recordedAt }: RecordedCommand): boolean {
    return this.now() - recordedAt.getTime() < KEY_LIFETIME_MS;
  }

  private async find(commandId: string): Promise<RecordedCommand | undefined> {
    return (await this.recorded.find([commandId]))[0];
  }

  private async replay(command: RecordedCommand, request: KeyedRequest, exchange: Exchange): Promise<IdempotentResult> {
    if (command.digest !== request.digest) {
      throw new HttpProblem(422, 'idempotency_key_reused', 'Idempotency-Key was used for another request');
    }
    trace.getActiveSpan()?.setAttribute('voidrunner.replayed', true);
    void exchange.reply.header('idempotent-replayed', 'true');
    await this.readYourWrites.waitUntilReadable(command.position, exchange.request, exchange.reply);
    return { id: command.stream.id, version: command.version };
  }
}
