import { DeadLetterPublisher } from '../../../src/event-sourcing/relay/dead-letter-publisher.js';
import type { NatsLink } from '../../../src/platform/nats/nats-link.js';
import { connectedLink, deleteStreams, uniquePrefix } from '../../support/nats.js';

describe('DeadLetterPublisher', () => {
  let nats: NatsLink;
  const prefix = uniquePrefix();

  beforeAll(async () => {
    nats = await connectedLink();
  });

  afterAll(async () => {
    await deleteStreams(prefix);
    await nats.close();
  });

  it('publishes a dead letter once, however often it is called', async () => {
    const letters = new DeadLetterPublisher({ nats, prefix });
    for (let time = 0; time < 3; time++) await letters.publish('execution', 'a-1', { execution_id: 'a', attempt: 1 });
    await letters.publish('stream', 'b', { stream_id: 'b' });
    const { streams } = await nats.manager();
    expect((await streams.info(`${prefix}_DLQ`)).state.messages).toBe(2);
    const message = await streams.getMessage(`${prefix}_DLQ`, { seq: 1 });
    expect(message.subject).toBe(`${prefix.toLowerCase()}.dlq.execution.a-1`);
    expect(JSON.parse(message.string())).toEqual({ execution_id: 'a', attempt: 1 });
  });

  it('creates the stream again if it was deleted', async () => {
    const letters = new DeadLetterPublisher({ nats, prefix });
    await letters.publish('stream', 'c', {});
    await (await nats.manager()).streams.delete(letters.streamName);
    await expect(letters.publish('stream', 'd', {})).rejects.toMatchObject({ name: 'Unavailable' });
    await letters.publish('stream', 'd', {});
    expect((await (await nats.manager()).streams.info(letters.streamName)).state.messages).toBe(1);
  });
});
