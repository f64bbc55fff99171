import { LivePublisher } from '../../../src/execution/worker/live-publisher.js';
import { liveSource } from '../../../src/execution/domain/live-source.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { InMemoryLiveOutput } from '../../support/in-memory-live-output.js';

const HOLD = { executionId: 'run', attempt: 1, leaseToken: 'secret' };
const STDOUT = liveSource(HOLD, 'stdout');

let live: InMemoryLiveOutput;
let publisher: LivePublisher;
beforeEach(() => {
  live = new InMemoryLiveOutput();
  publisher = new LivePublisher(live, silentLog);
});

test('what is printed is published, each stream by itself', async () => {
  const attempt = publisher.open(HOLD);
  attempt.add('stdout', Buffer.from('out'));
  attempt.add('stderr', Buffer.from('err'));
  await eventually(() => {
    expect(live.textOf(STDOUT)).toBe('out');
    expect(live.textOf(liveSource(HOLD, 'stderr'))).toBe('err');
  });
  attempt.close();
});

test('where it is published says nothing of the lease', () => {
  expect(JSON.stringify(STDOUT)).not.toContain(HOLD.leaseToken);
  expect(liveSource({ ...HOLD, leaseToken: 'another' }, 'stdout').startId).not.toBe(STDOUT.startId);
});

test('many small pieces go together', async () => {
  const attempt = publisher.open(HOLD);
  for (let n = 0; n < 1_000; n += 1) attempt.add('stdout', Buffer.from('x'));
  await eventually(() => expect(live.textOf(STDOUT)).toBe('x'.repeat(1_000)));
  expect(live.chunks.length).toBeLessThan(10);
  attempt.close();
});

test('no chunk is larger than NATS takes', async () => {
  const attempt = publisher.open(HOLD);
  const text = 'y'.repeat(300_000);
  attempt.add('stdout', Buffer.from(text));
  await eventually(() => expect(live.textOf(STDOUT)).toBe(text));
  expect(Math.max(...live.chunks.map(({ bytes }) => bytes.length))).toBe(64 * 1024);
  attempt.close();
});

test('while NATS is away nothing fails, and afterwards all of it comes', async () => {
  live.away = true;
  const attempt = publisher.open(HOLD);
  attempt.add('stdout', Buffer.from('before '));
  await eventually(() => expect(publisher.figures.late).toBeGreaterThan(0));
  attempt.add('stdout', Buffer.from('after'));
  live.away = false;
  await eventually(() => expect(live.textOf(STDOUT)).toBe('before after'));
  attempt.close();
});

test('what the server has lost is published again, from the beginning', async () => {
  const attempt = publisher.open(HOLD);
  attempt.add('stdout', Buffer.from('printed long ago'));
  await eventually(() => expect(live.chunks).toHaveLength(1));
  live.lose();
  await eventually(() => expect(live.textOf(STDOUT)).toBe('printed long ago'));
  attempt.close();
});

test('what is not out when the attempt is over is left to the stored output, and counted', async () => {
  live.away = true;
  const attempt = publisher.open(HOLD);
  attempt.add('stdout', Buffer.from('12345'));
  attempt.close();
  live.away = false;
  live.lose();
  await eventually(() => expect(publisher.figures).toEqual({ published: 0, late: 1, leftBytes: 5 }));
  expect(live.chunks).toEqual([]);
});
