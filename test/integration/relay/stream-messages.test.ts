import { EventsStream } from '../../../src/event-sourcing/relay/events-stream.js';
import { messagesOf } from '../../../src/event-sourcing/relay/stream-messages.js';
import { afterThisTurn } from '../../../src/platform/async/delay.js';
import type { NatsLink } from '../../../src/platform/nats/nats-link.js';
import { connectedLink, deleteStreams, uniquePrefix } from '../../support/nats.js';

const MESSAGES = 1_700;

describe('the messages of the events stream', () => {
  const prefix = uniquePrefix();
  let nats: NatsLink;
  let stream: EventsStream;

  beforeAll(async () => {
    nats = await connectedLink();
    stream = new EventsStream({ nats, prefix, bytesMax: 64 * 1024 ** 2 });
    await stream.ensure();
  });

  afterAll(async () => {
    await deleteStreams(prefix);
    await nats.close();
  });

  const read = async (turnsAway: number): Promise<number[]> => {
    const sequences: number[] = [];
    for await (const message of messagesOf(nats, stream)) {
      sequences.push(message.seq);
      for (let turn = 0; turn < turnsAway; turn += 1) await afterThisTurn();
    }
    return sequences;
  };

  it('an empty stream has none', async () => {
    expect(await read(0)).toEqual([]);
  });

  it('arrive complete and in order, however slow the reader is, and leave no consumer behind', async () => {
    const js = nats.jetstream();
    const published = Array.from({ length: MESSAGES }, (_, n) =>
      js.publish(stream.subjects.replace('>', `toy.${n}`), undefined, { timeout: 30_000 }),
    );
    await Promise.all(published);
    const all = Array.from({ length: MESSAGES }, (_, n) => n + 1);

    for (const turnsAway of [0, 1, 3]) expect(await read(turnsAway)).toEqual(all);

    const manager = await nats.manager();
    expect(await manager.consumers.list(stream.name).next()).toEqual([]);
  });

  it('arrive without removed ones, and to a reader that stops early', async () => {
    const manager = await nats.manager();
    for (const sequence of [1, 2, 700, MESSAGES]) await manager.streams.deleteMessage(stream.name, sequence);
    expect(await read(0)).toHaveLength(MESSAGES - 4);

    for await (const message of messagesOf(nats, stream)) if (message.seq === 600) break;
    expect(await manager.consumers.list(stream.name).next()).toEqual([]);
  });
});
