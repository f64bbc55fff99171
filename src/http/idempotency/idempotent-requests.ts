import { trace } from '@opentelemetry/api';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { RecordedCommand, RecordedCommands } from '../../event-sourcing/core/recorded-commands.js';
import { DomainError } from '../../kernel/errors.js';
import type { Exchange } from '../http-commands.js';
import { dropBody } from '../large-bodies.js';
import { HttpProblem } from '../problem.js';
import type { ReadYourWrites } from '../read-your-writes.js';
import { KeyedRequest } from './idempotency-key.js';

/** A key belongs to its first request for this time. */
export const KEY_LIFETIME_MS = 24 * 3_600_000;
/** Generations read with one query. A key that is used again each day needs a second query after a month. */
const GENERATIONS_AT_ONCE = 32;

/** Part of the metadata of the request's command. */
export type CommandMark = Pick<EventMetadata, 'command_id' | 'command_digest'>;

/** The resource that this request, or an earlier one with the same key, has created. */
export interface IdempotentResult {
  readonly id: string;
  /** The stream version to show: the one after the request's event. Undefined without a key: the current version. */
  readonly version: number | undefined;
}

/**
 * Requests with an Idempotency-Key. The key is stored only in the log: the id of the request's last event is derived
 * from it. A repeated request therefore finds that event, also after a restart and in another process, and its response
 * is built from the events again. Of two concurrent requests the log accepts one. A refused request records nothing, so
 * its key stays free.
 */
export class IdempotentRequests {
  constructor(
    private readonly recorded: RecordedCommands,
    private readonly readYourWrites: ReadYourWrites,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * @param perform executes the command, with the mark in its metadata, and returns the id of the created resource
   * @throws HttpProblem 400 for a malformed key, 422 for a key that belongs to another request
   */
  async run(
    exchange: Exchange,
    userId: string,
    perform: (mark: CommandMark) => Promise<string>,
  ): Promise<IdempotentResult> {
    const request = KeyedRequest.of(exchange.request, userId);
    dropBody(exchange.request);
    if (!request) return { id: await perform({}), version: undefined };
    const slot = await this.slotOf(request);
    if (typeof slot !== 'string') return this.replay(slot, request, exchange);
    let id: string;
    try {
      id = await perform({ command_id: slot, command_digest: request.digest });
    } catch (error) {
      // A concurrent request was first: the log refused this one, or the decision saw the other's effect.
      const first = error instanceof DomainError ? await this.find(slot) : undefined;
      if (!first) throw error;
      return this.replay(first, request, exchange);
    }
    const made = await this.find(slot);
    // The log treats an append that equals the concurrent request's append as its repetition.
    if (made && made.requestId !== exchange.request.id) return this.replay(made, request, exchange);
    return { id, version: made?.version };
  }

  /** @returns the command that the key belongs to, or the id for a new one */
  private async slotOf(request: KeyedRequest): Promise<RecordedCommand | string> {
    for (let first = 0; ; first += GENERATIONS_AT_ONCE) {
      const ids = Array.from({ length: GENERATIONS_AT_ONCE }, (_, n) => request.commandId(first + n));
      const found = new Map((await this.recorded.find(ids)).map((command) => [command.commandId, command]));
      // Generations are consecutive: each one starts only after the previous one has expired.
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
    if (command.digest !== request.digest) refuseReusedKey();
    markReplayed(exchange);
    await this.readYourWrites.waitUntilReadable(command.position, exchange.request, exchange.reply);
    return { id: command.stream.id, version: command.version };
  }
}

/** @throws HttpProblem 422 */
export function refuseReusedKey(): never {
  throw new HttpProblem(422, 'idempotency_key_reused', 'Idempotency-Key was used for another request');
}

/** The response is that of an earlier request with the same key. */
export function markReplayed({ reply }: Pick<Exchange, 'reply'>): void {
  trace.getActiveSpan()?.setAttribute('voidrunner.replayed', true);
  void reply.header('idempotent-replayed', 'true');
}
