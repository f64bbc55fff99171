import { NatsLiveInput } from '../../src/live-input/nats-live-input.js';
import { NatsLink } from '../../src/platform/nats/nats-link.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { eventually } from '../support/eventually.js';
import { InMemoryLiveInput } from '../support/in-memory-live-input.js';
import { connectedLink, PrivateNats, uniquePrefix } from '../support/nats.js';
import { accepted, aTarget, Gathered, liveInputContract, piece } from './live-input.contract.js';

describe('in memory', () => liveInputContract(() => new InMemoryLiveInput()));

describe('over NATS', () => {
  const prefix = uniquePrefix();
  let nats: NatsLink;

  beforeAll(async () => {
    nats = await connectedLink();
  });
  afterAll(() => nats.close());

  liveInputContract(() => new NatsLiveInput({ nats, prefix }));
});

describe('over a NATS that comes and goes', () => {
  let server: PrivateNats;
  const links: NatsLink[] = [];
  const link = (): NatsLink => {
    const made = new NatsLink({ url: server.url, name: 'test', log: silentLog });
    links.push(made);
    made.start();
    return made;
  };
  const over = (nats: NatsLink) => new NatsLiveInput({ nats, prefix: 'TEST', answerTimeoutMs: 500 });

  beforeAll(async () => {
    server = await PrivateNats.start();
  });
  afterAll(async () => {
    await Promise.all(links.map((each) => each.close()));
    await server.remove();
  });

  test('a sender is told, and a receiver that began without NATS, or before a restart, gets input', async () => {
    await server.stop();
    const [sender, target] = [over(link()), aTarget()];
    const gathered = new Gathered(over(link()), target);
    await expect(sender.send(target, piece('x'))).rejects.toMatchObject({ name: 'Unavailable', dependency: 'nats' });
    for (const text of ['first', 'second']) {
      await server.start();
      const sent = eventually(async () => expect(await sender.send(target, piece(text))).toEqual(accepted(0)));
      await sent;
      expect(gathered.pieces.at(-1)!.bytes.toString()).toBe(text);
      await server.kill();
    }
    gathered.close();
    await server.start();
  });

  test('a NATS that is suspended, and a worker that does not answer, take no longer than the named time', async () => {
    const [nats, target] = [link(), aTarget()];
    await nats.whenConnected(5_000);
    const gathered = await new Gathered(over(nats), target).ready();
    server.freeze();
    try {
      await expect(over(nats).send(target, piece('x'))).rejects.toMatchObject({ dependency: 'worker' });
    } finally {
      server.thaw();
    }
    gathered.close();
  });
});
