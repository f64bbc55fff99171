import { deterministicId } from '../../../src/kernel/uuid.js';
import type { InputAnswer, InputPiece } from '../../../src/live-input/live-input.js';
import { InteractiveInput } from '../../../src/sandbox/interactive-input.js';
import { encodeExecutionInput } from '../../../src/tasks/domain/execution-input.js';
import { liveStart } from '../../../src/tasks/domain/live-source.js';
import { AttemptInput, REQUESTS_KEPT_MAX } from '../../../src/worker/attempt-input.js';
import { AttemptWorld } from '../../support/attempt-world.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { InMemoryLiveInput } from '../../support/in-memory-live-input.js';
import { anOutcome } from '../../support/scripted-sandbox.js';

const LEASE = { executionId: 'run', attempt: 1, leaseToken: 'secret' };

const accepted = (bytes: number, { closed = false, replayed = false } = {}): InputAnswer => ({
  outcome: 'accepted',
  bytes,
  closed,
  replayed,
});

describe('the input of an attempt', () => {
  let live: InMemoryLiveInput;
  let input: AttemptInput;
  let counted: number[];
  beforeEach(() => {
    live = new InMemoryLiveInput();
    counted = [];
    input = new AttemptInput(LEASE, live, (bytes) => counted.push(bytes));
  });

  const send = (text: string, more: Partial<InputPiece> = {}) =>
    live.send(liveStart(LEASE), { bytes: Buffer.from(text), isLast: false, ...more });
  const received = () => {
    const got: string[] = [];
    input.program.connect((bytes) => got.push(Buffer.from(bytes).toString()));
    return got.join('');
  };

  it('goes to the program, and is counted', async () => {
    expect(await send('one')).toEqual(accepted(3));
    expect(await send('two', { isLast: true })).toEqual(accepted(6, { closed: true }));
    expect(await send('late')).toEqual({ outcome: 'closed' });
    expect([received(), counted]).toEqual(['onetwo', [3, 3]]);
  });

  it('is added once for each request, and a repeat gets the first answer', async () => {
    const request = { id: 'a', digest: 'one' };
    const first = await send('one', { request });
    await send('two', { request: { id: 'b', digest: 'two' } });
    const last = { isLast: true, request: { id: 'c', digest: 'end' } };
    await send('', last);
    expect(await send('one', { request })).toEqual({ ...first, replayed: true });
    expect(await send('', last)).toEqual(accepted(6, { closed: true, replayed: true }));
    expect([received(), counted]).toEqual(['onetwo', [3, 3, 0]]);
  });

  it('is refused if another request had the id', async () => {
    await send('one', { request: { id: 'a', digest: 'one' } });
    expect(await send('two', { request: { id: 'a', digest: 'two' } })).toEqual({ outcome: 'reused' });
    expect(received()).toBe('one');
  });

  it('that was refused does not use up its id', async () => {
    const full = Buffer.alloc(64 * 1024);
    while ((await live.send(liveStart(LEASE), { bytes: full, isLast: false }))?.outcome === 'accepted');
    const request = { id: 'a', digest: 'x' };
    expect(await send('x', { request })).toEqual({ outcome: 'full' });
    input.program.connect(() => undefined);
    input.program.confirm(64 * 1024);
    expect(await send('x', { request })).toMatchObject({ outcome: 'accepted', replayed: false });
  });

  it('remembers a bounded number of requests, the latest', async () => {
    for (let n = 0; n <= REQUESTS_KEPT_MAX; n++) await send('x', { request: { id: String(n), digest: 'x' } });
    expect(await send('x', { request: { id: '1', digest: 'x' } })).toMatchObject({ replayed: true });
    expect(await send('x', { request: { id: '0', digest: 'x' } })).toMatchObject({ replayed: false });
  });

  it('is over with the attempt', async () => {
    input.close();
    expect(await send('x')).toBeNull();
    expect(input.program.add(Buffer.from('x'), false)).toBe('ended');
  });
});

describe('an attempt', () => {
  let world: AttemptWorld;
  beforeEach(() => {
    world = new AttemptWorld();
  });
  const waiting = async (interactive: boolean) => {
    const content = encodeExecutionInput({ interactive, stdin: Buffer.from('first') });
    const payloadId = deterministicId('input');
    await world.waiting({ input: await world.payloads.put({ payloadId, ownerId: OWNER_ID, kind: 'input', content }) });
  };

  it('takes input while its program runs, if its execution is interactive', async () => {
    await waiting(true);
    world.sandbox.program = (_job, _signal, interactive) => {
      expect([interactive, world.liveInput.receiverCount]).toEqual([expect.any(InteractiveInput), 1]);
      return Promise.resolve(anOutcome());
    };
    expect(await world.attempt()).toBe('succeeded');
    expect(world.liveInput.receiverCount).toBe(0);
    expect(world.sandbox.jobs[0]!.input).toEqual({ stdin: Buffer.from('first') });
  });

  it('gets input sent to its own start only', async () => {
    await waiting(true);
    const job = await world.reserve();
    const piece = { bytes: Buffer.from('x'), isLast: false };
    const answers: unknown[] = [];
    world.sandbox.program = async () => {
      answers.push(await world.liveInput.send(liveStart({ ...job, leaseToken: 'another' }), piece));
      answers.push(await world.liveInput.send(liveStart(job), piece));
      return anOutcome();
    };
    await world.runner.run(job, { stop: world.stop.signal, abandon: world.abandon.signal });
    expect(answers).toEqual([null, accepted(1)]);
    expect(await world.liveInput.send(liveStart(job), piece)).toBeNull();
  });

  it('takes none if its execution is not interactive', async () => {
    await waiting(false);
    world.sandbox.program = (_job, _signal, interactive) => {
      expect([interactive, world.liveInput.receiverCount]).toEqual([undefined, 0]);
      return Promise.resolve(anOutcome());
    };
    expect(await world.attempt()).toBe('succeeded');
  });
});
