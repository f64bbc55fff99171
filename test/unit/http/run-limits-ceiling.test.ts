import { RunLimitsCeiling } from '../../../src/platform/http/run-limits-ceiling.js';

const ceiling = new RunLimitsCeiling({ timeout_seconds: 60, memory_mb: 128, cpus: 0.5, pids: 32 });
const AT_MOST = { timeout_seconds: 60, limits: { memory_mb: 128, cpus: 0.5, pids: 32 } };

test('what the operator allows is taken, and so is what is not asked', () => {
  ceiling.check(AT_MOST);
  ceiling.check({});
  ceiling.check({ limits: {} });
});

test.each([
  ['timeout_seconds', { timeout_seconds: 61 }, '61', 60],
  ['limits.memory_mb', { limits: { memory_mb: 129 } }, '129', 128],
  ['limits.cpus', { limits: { cpus: 0.51 } }, '0.51', 0.5],
  ['limits.pids', { limits: { pids: 33 } }, '33', 32],
])('more is a 400 that names %s', (field, asked, value, max) => {
  const error = { field, value, tag: 'max', message: `must be at most ${max}` };
  expect(() => ceiling.check(asked)).toThrow(expect.objectContaining({ status: 400, validationErrors: [error] }));
});

test('all that is too much is named at once', () => {
  const asked = { timeout_seconds: 61, limits: { memory_mb: 129, cpus: 1, pids: 33 } };
  const fields = ['timeout_seconds', 'limits.memory_mb', 'limits.cpus', 'limits.pids'];
  const all = expect.objectContaining({ validationErrors: fields.map((field) => expect.objectContaining({ field })) });
  expect(() => ceiling.check(asked)).toThrow(all);
});
