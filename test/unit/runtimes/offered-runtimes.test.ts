import { Unavailable } from '../../../src/kernel/errors.js';
import { OfferedRuntimes } from '../../../src/runtimes/offered-runtimes.js';
import type { RuntimeOffer } from '../../../src/runtimes/runtime-offer.js';

const offer = (runtime: string, image_digest: string): RuntimeOffer => ({
  ...{ runtime, image_digest, version: null, preloaded: false },
});

const away = () => Promise.reject(new Unavailable('redis', 'away'));

test('a runtime is offered in the image that all workers have', async () => {
  const offered = new OfferedRuntimes(() =>
    Promise.resolve([offer('go', 'a'), offer('bash', 'b'), offer('go', 'a'), offer('bash', 'c')]),
  );
  expect(await offered.agreedDigest('go')).toBe('a');
  expect(await offered.agreedDigest('bash')).toBeNull();
  expect(await offered.find('bash')).toMatchObject({ image_digest: 'b' });
  expect(await offered.agreedDigest('rust')).toBeNull();
  expect(await offered.find('rust')).toBeUndefined();
});

test('before the first answer an outage is reported, and no request waits for it', async () => {
  const offered = new OfferedRuntimes(away);
  await expect(offered.find('go')).rejects.toThrow(Unavailable);
  expect(await offered.agreedDigest('go')).toBeNull();
});

test('what is too old is read first, and an outage then leaves nothing known', async () => {
  let answer: () => Promise<readonly RuntimeOffer[]> = () => Promise.resolve([offer('go', 'old')]);
  const offered = new OfferedRuntimes(() => answer(), { freshMs: -1, usableMs: -1 });
  expect(await offered.agreedDigest('go')).toBe('old');
  answer = () => Promise.resolve([offer('go', 'new')]);
  expect(await offered.agreedDigest('go')).toBe('new');
  answer = away;
  expect(await offered.agreedDigest('go')).toBeNull();
  await expect(offered.find('go')).rejects.toThrow(Unavailable);
});

test('what is known is used at once, and is read again in the background', async () => {
  let answer: () => Promise<readonly RuntimeOffer[]> = () => Promise.resolve([offer('go', 'old')]);
  const offered = new OfferedRuntimes(() => answer(), { freshMs: -1, usableMs: 60_000 });
  expect(await offered.agreedDigest('go')).toBe('old');
  answer = away;
  expect(await offered.agreedDigest('go')).toBe('old');
  await new Promise(setImmediate);
  answer = () => Promise.resolve([offer('go', 'new')]);
  expect(await offered.agreedDigest('go')).toBe('old');
  await new Promise(setImmediate);
  expect(await offered.agreedDigest('go')).toBe('new');
});

test('callers share one reading, and a bug is not taken for an outage', async () => {
  let reads = 0;
  const offered = new OfferedRuntimes(() => {
    reads += 1;
    return Promise.resolve([]);
  });
  await Promise.all([offered.find('go'), offered.agreedDigest('go'), offered.find('bash')]);
  expect(reads).toBe(1);
  const broken = new OfferedRuntimes(() => Promise.reject(new TypeError('a bug')));
  await expect(broken.agreedDigest('go')).rejects.toThrow('a bug');
});
