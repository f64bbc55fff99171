import type { PayloadStore } from '../../../src/platform/payloads/payload-store.js';
import type { OutputRef } from '../../../src/tasks/domain/execution-events.js';
import type { ExecutionRow } from '../../../src/tasks/queries/execution-projection.js';
import { bytesPerOutput, NO_TEXT, textOf } from '../../../src/tasks/queries/output-excerpt.js';

const anOutput = (bytes: number): OutputRef => ({
  payload: bytes === 0 ? null : { payload_id: String(bytes), bytes, sha256: '' },
  bytes_total: bytes,
  truncated: false,
});
const aRun = (stdout: number, stderr: number) =>
  ({ stdout: anOutput(stdout), stderr: anOutput(stderr) }) as ExecutionRow;
const payloads = { get: async ({ bytes }) => Buffer.alloc(bytes, 'x') } as Pick<PayloadStore, 'get'> as PayloadStore;

test.each([
  ['all of them fit', [aRun(10, 20), aRun(0, 70)], Number.POSITIVE_INFINITY],
  ['one is long', [aRun(10, 20), aRun(0, 700)], 70],
  ['two are long', [aRun(10, 500), aRun(0, 700)], 45],
  ['all are long', [aRun(500, 500), aRun(500, 700)], 25],
  ['one has not ended', [{ stdout: null, stderr: null } as ExecutionRow, aRun(200, 0)], 100],
  ['there are none', [], Number.POSITIVE_INFINITY],
])('if %s, each output has its share of the space', (_, runs, room) => {
  expect(bytesPerOutput(runs, 100)).toBe(room);
});

test('an output that does not fit is an excerpt, and marked as one', async () => {
  expect(await textOf(aRun(12, 3), payloads, 4)).toEqual({
    stdout: 'xx\n… 8 bytes left out …\nxx',
    stderr: 'xxx',
    compile: { stdout: null, stderr: null },
    isExcerpt: true,
  });
  expect(await textOf(aRun(4, 0), payloads, 4)).toEqual({ ...NO_TEXT, stdout: 'xxxx', stderr: '' });
});

test('a destroyed output is not an excerpt', async () => {
  const erased = { get: async () => null } as unknown as PayloadStore;
  expect(await textOf(aRun(12, 3), erased, 4)).toEqual(NO_TEXT);
});
