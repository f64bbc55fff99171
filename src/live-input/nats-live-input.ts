import { ErrorCode, headers, type Msg, NatsError, type Subscription } from 'nats';
import { z } from 'zod';

import { subjectPrefix } from '../event-sourcing/relay/event-message.js';
import { Unavailable } from '../kernel/errors.js';
import { asNatsUnavailable, isNoResponders } from '../platform/nats/nats-errors.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import {
  INPUT_ANSWER_TIMEOUT_MS,
  type InputAnswer,
  type InputPiece,
  type InputReceiver,
  type InputTarget,
  LiveInput,
} from './live-input.js';

const LAST_HEADER = 'Voidrunner-Last';
const REQUEST_HEADER = 'Voidrunner-Request';
const DIGEST_HEADER = 'Voidrunner-Digest';

const inputAnswer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('accepted'), bytes: z.int(), closed: z.boolean(), replayed: z.boolean() }),
  z.object({ outcome: z.enum(['full', 'closed', 'ended', 'reused']) }),
]);

/**
 * Live input by request and reply, without JetStream: a piece that was kept could reach the program of the next attempt,
 * or a program that nobody talks to any more.
 */
export class NatsLiveInput extends LiveInput {
  private readonly nats: NatsLink;
  private readonly subjects: string;
  private readonly answerTimeoutMs: number;

  constructor(options: { readonly nats: NatsLink; readonly prefix: string; readonly answerTimeoutMs?: number }) {
    super();
    this.nats = options.nats;
    this.subjects = `${subjectPrefix(options.prefix)}.stdin`;
    this.answerTimeoutMs = options.answerTimeoutMs ?? INPUT_ANSWER_TIMEOUT_MS;
  }

  override async send(target: InputTarget, piece: InputPiece): Promise<InputAnswer | null> {
    const options = { timeout: this.answerTimeoutMs, headers: headersOf(piece) };
    try {
      const answer = await this.nats.connection().request(this.subjectOf(target), piece.bytes, options);
      return inputAnswer.parse(answer.json());
    } catch (error) {
      if (isNoResponders(error)) return null;
      if (error instanceof NatsError && error.code === (ErrorCode.Timeout as string))
        throw new Unavailable('worker', 'the worker did not take the input in time', { cause: error });
      throw asNatsUnavailable(error);
    }
  }

  override receive(target: InputTarget, receiver: InputReceiver): () => void {
    const subject = this.subjectOf(target);
    let unsubscribe = (): void => undefined;
    const stop = this.nats.onConnection((connection) => {
      const subscription: Subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          // Every sender sets the header. Nothing that a reader of events can have sent here has it: docs/adr/0066.
          if (!error && message.headers?.has(LAST_HEADER)) message.respond(JSON.stringify(receiver(pieceOf(message))));
        },
      });
      // A closed connection has no subscriptions left.
      unsubscribe = () => connection.isClosed() || subscription.unsubscribe();
    });
    return () => {
      stop();
      unsubscribe();
    };
  }

  private subjectOf({ executionId, attempt, startId }: InputTarget): string {
    return `${this.subjects}.${executionId}.${attempt}.${startId}`;
  }
}

function headersOf({ isLast, request }: InputPiece) {
  const facts = headers();
  facts.set(LAST_HEADER, String(isLast));
  if (request) {
    facts.set(REQUEST_HEADER, request.id);
    facts.set(DIGEST_HEADER, request.digest);
  }
  return facts;
}

function pieceOf({ data, headers: facts }: Msg): InputPiece {
  const id = facts?.get(REQUEST_HEADER) ?? '';
  const isLast = facts?.get(LAST_HEADER) === 'true';
  return { bytes: data, isLast, request: id === '' ? undefined : { id, digest: facts?.get(DIGEST_HEADER) ?? '' } };
}
