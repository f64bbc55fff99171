import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { type FaultyProcess, leaderOf, startProcess } from '../support/faults-process.js';
import { CommandLoad, expectHealed, expectUndisturbed, QUICK, startRuns } from '../support/faults.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;
let relays: FaultyProcess[];

const startRelay = () => startProcess(service, { VOIDRUNNER_ROLES: 'relay' });

beforeAll(async () => {
  service = await startTestService({ ...QUICK, VOIDRUNNER_ROLES: 'api,projector,orchestrator,worker,sealer' });
  client = await ApiClient.register(() => service.url);
  relays = await Promise.all([startRelay(), startRelay()]);
});

afterAll(async () => {
  await Promise.all(relays.filter(({ alive }) => alive).map((relay) => relay.terminate()));
  await service.close();
});

const leader = () => leaderOf(relays, 'relay');

const infra = () => service.processes[0]!.infra;
const published = async (): Promise<number> => (await infra().eventsStream.info())?.state.messages ?? 0;

/** Every event since the stream's first, and none twice. */
const whole = () =>
  eventually(
    async () => {
      const { position: head } = await infra().store.head();
      const first = await infra().eventsStream.first();
      expect((await infra().eventsStream.tail()).message?.position).toBe(head);
      expect(await published()).toBe(Number(head - first!.position) + 1);
    },
    { timeoutMs: 20_000 },
  );

test('suspended and resumed: its late messages are refused or dropped', async () => {
  const frozen = await leader();
  const load = new CommandLoad(client);
  await load.more(20);
  frozen.freeze();
  await load.more(20);
  // Postgres ends the lead of a silent process.
  await eventually(async () => expect(await leader()).not.toBe(frozen), { timeoutMs: 30_000 });
  frozen.thaw();
  await load.more(20);
  await load.stop();

  await whole();
  await expectHealed(service);
});

test('killed while publishing: a standby continues from the stream’s own tail, and nothing is missing', async () => {
  const load = new CommandLoad(client);
  const runs = await startRuns(client, 2, { seconds: 0 });
  await load.more(50);
  await eventually(async () => expect(await published()).toBeGreaterThan(0));
  const killed = await leader();
  await killed.kill();

  await load.more(50);
  await leader();
  await load.more(50);
  await load.stop();

  expect(load.refusals).toEqual([]);
  await expectUndisturbed(client, runs);
  await whole();
  await expectHealed(service);
});

test('killed between commit and publish: the next relay publishes the committed events', async () => {
  await (await leader()).kill();
  const before = await published();
  const runs = await startRuns(client, 2, { seconds: 0 });
  // Meanwhile events flow through Postgres.
  await expectUndisturbed(client, runs);
  expect(await published()).toBe(before);

  relays.push(await startRelay());
  await whole();
  await expectHealed(service);
});
