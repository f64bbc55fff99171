import { ByteLog } from '../../../src/platform/memory/byte-log.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { liveSource } from '../../../src/tasks/domain/live-source.js';
import { type LiveAttempt, LivePublisher } from '../../../src/worker/live-publisher.js';
import { eventually } from '../../support/eventually.js';
import { InMemoryLiveOutput } from '../../support/in-memory-live-output.js';

const HOLD = { executionId: 'run', attempt: 1, leaseToken: 'secret' };
const STDOUT = liveSource(HOLD, 'stdout');

/** The output that the sandbox keeps of an attempt. */
const kept = new WeakMap<LiveAttempt, Record<'stdout' | 'stderr', ByteLog>>();

function print(attempt: LiveAttempt, stream: 'stdout' | 'stderr', text: string): void {
  const logs = kept.get(attempt) ?? { stdout: new ByteLog(), stderr: new ByteLog() };
  kept.set(attempt, logs);
  logs[stream].add(Buffer.from(text));
  attempt.publish(stream, logs[stream]);
}

let live: InMemoryLiveOutput;
let publisher: LivePublisher;
beforeEach(() => {
  live = new InMemoryLiveOutput();
  publisher = new LivePublisher(live, silentLog);
});

test('output is published, each stream separately', async () => {
  const attempt = publisher.open(HOLD);
  print(attempt, 'stdout', 'out');
  print(attempt, 'stderr', 'err');
  await eventually(() => {
    expect(live.textOf(STDOUT)).toBe('out');
    expect(live.textOf(liveSource(HOLD, 'stderr'))).toBe('err');
  });
  attempt.close();
});

test('its subject does not reveal the lease', () => {
  expect(JSON.stringify(STDOUT)).not.toContain(HOLD.leaseToken);
  expect(liveSource({ ...HOLD, leaseToken: 'another' }, 'stdout').startId).not.toBe(STDOUT.startId);
});

test('many small writes are sent together', async () => {
  const attempt = publisher.open(HOLD);
  for (let n = 0; n < 1_000; n += 1) print(attempt, 'stdout', 'x');
  await eventually(() => expect(live.textOf(STDOUT)).toBe('x'.repeat(1_000)));
  expect(live.chunks.length).toBeLessThan(10);
  attempt.close();
});

test('no chunk is larger than NATS accepts', async () => {
  const attempt = publisher.open(HOLD);
  const text = 'y'.repeat(300_000);
  print(attempt, 'stdout', text);
  await eventually(() => expect(live.textOf(STDOUT)).toBe(text));
  expect(Math.max(...live.chunks.map(({ bytes }) => bytes.length))).toBe(64 * 1024);
  attempt.close();
});

test('while NATS is unavailable nothing fails, and afterwards everything is sent', async () => {
  live.away = true;
  const attempt = publisher.open(HOLD);
  print(attempt, 'stdout', 'before ');
  await eventually(() => expect(publisher.figures.late).toBeGreaterThan(0));
  print(attempt, 'stdout', 'after');
  live.away = false;
  await eventually(() => expect(live.textOf(STDOUT)).toBe('before after'));
  attempt.close();
});

test('chunks that the server has lost are published again, from the beginning', async () => {
  const attempt = publisher.open(HOLD);
  print(attempt, 'stdout', 'printed long ago');
  await eventually(() => expect(live.chunks).toHaveLength(1));
  live.lose();
  await eventually(() => expect(live.textOf(STDOUT)).toBe('printed long ago'));
  attempt.close();
});

test('output not sent when the attempt ends is left to the stored output, and counted', async () => {
  live.away = true;
  const attempt = publisher.open(HOLD);
  print(attempt, 'stdout', '12345');
  attempt.close();
  live.away = false;
  live.lose();
  await eventually(() => expect(publisher.figures).toEqual({ published: 0, late: 1, unpublishedBytes: 5 }));
  expect(live.chunks).toEqual([]);
});
