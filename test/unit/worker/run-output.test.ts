import { SandboxFailure } from '../../../src/sandbox/sandbox.js';
import { detachOutput, storeRunResult } from '../../../src/worker/run-output.js';
import { InMemoryPayloadStore } from '../../support/in-memory-payload-store.js';

const HOLD = { executionId: '0190a5b4-0000-7000-8000-000000000001', attempt: 1, leaseToken: 'secret' };
const written = (length: number) => ({ content: Buffer.alloc(length, 'x'), bytesTotal: length, truncated: false });
const outcome = () => ({
  returnCode: 0,
  signal: null,
  stdout: written(100_000),
  stderr: written(200_000),
  wallTimeMs: 1,
  cpuTimeMs: null,
  memoryPeakBytes: null,
  oomKills: 0,
  imageDigest: null,
  notes: [],
  files: [],
  skippedFiles: [],
  hasAllFiles: true,
  compile: null,
});

test('no stream is still being stored after the other has failed', async () => {
  const stderr = Promise.withResolvers<void>();
  const events: string[] = [];
  class Store extends InMemoryPayloadStore {
    override async put(payload: Parameters<InMemoryPayloadStore['put']>[0]) {
      if (payload.kind === 'stdout') throw new Error('stdout');
      await stderr.promise;
      const ref = await super.put(payload);
      events.push('stderr stored');
      return ref;
    }
  }
  const stored = storeRunResult(new Store(), HOLD, 'owner', outcome()).catch((error: Error) =>
    events.push(error.message),
  );
  await new Promise(setImmediate);
  expect(events).toEqual([]);
  stderr.resolve();
  await stored;
  expect(events).toEqual(['stderr stored', 'stdout']);
});

test('the output buffers of completed and lost runs are freed', () => {
  const { stdout, stderr } = outcome();
  detachOutput({ ...outcome(), stdout, stderr, reason: 'exit_code', startedAt: new Date() });
  expect([stdout.content.length, stderr.content.length]).toEqual([0, 0]);
  const partial = { stdout: written(5_000), stderr: written(0), wallTimeMs: 1 };
  detachOutput(new SandboxFailure('lost', true, { partial }));
  expect(partial.stdout.content).toHaveLength(0);
  expect(() => detachOutput(new SandboxFailure('no program', false))).not.toThrow();
});
