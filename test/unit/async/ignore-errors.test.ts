import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';

test('an error becomes undefined', async () => {
  await expect(ignoreErrors(Promise.reject(new TypeError('a bug')), 'the test ends')).resolves.toBeUndefined();
});

test('a result is passed on', async () => {
  expect(await ignoreErrors(Promise.resolve('result'), 'it may be missing')).toBe('result');
});
