import { Unavailable } from '../../src/kernel/errors.js';
import {
  type InputAnswer,
  type InputPiece,
  type InputReceiver,
  type InputTarget,
  LiveInput,
} from '../../src/live-input/live-input.js';

const keyOf = ({ executionId, attempt, startId }: InputTarget): string => `${executionId} ${attempt} ${startId}`;

/** The port without NATS. */
export class InMemoryLiveInput extends LiveInput {
  away = false;
  private readonly receivers = new Map<string, InputReceiver>();

  get receiverCount(): number {
    return this.receivers.size;
  }

  override async send(target: InputTarget, piece: InputPiece): Promise<InputAnswer | null> {
    if (this.away) throw new Unavailable('nats', 'away');
    return this.receivers.get(keyOf(target))?.(piece) ?? null;
  }

  override receive(target: InputTarget, receiver: InputReceiver): () => void {
    this.receivers.set(keyOf(target), receiver);
    return () => this.receivers.delete(keyOf(target));
  }
}
