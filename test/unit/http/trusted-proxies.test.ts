import { ThingApp } from '../../support/thing-app.js';

const PROXY = '10.1.1.1';
const CLIENT = '198.51.100.7';
/** Requests that `/open` allows per address and minute. */
const LIMIT = 2;

let app: ThingApp;
beforeEach(async () => {
  app = await ThingApp.start({ trustProxy: ['10.0.0.0/8'] });
});
afterEach(() => app.close());

/** The responses to one request more than an address may send, each with another list of addresses. */
async function statuses(remoteAddress: string, forwarded: (n: number) => string): Promise<number[]> {
  const answers: number[] = [];
  for (let n = 0; n <= LIMIT; n += 1) {
    const headers = { 'x-forwarded-for': forwarded(n) };
    answers.push((await app.inject({ method: 'GET', url: '/open', remoteAddress, headers })).statusCode);
  }
  return answers;
}

test('a trusted proxy’s header distinguishes clients', async () => {
  expect(await statuses(PROXY, (n) => `198.51.100.${n}`)).toEqual([200, 200, 200]);
  expect(await statuses(PROXY, () => CLIENT)).toEqual([200, 200, 429]);
});

test('addresses that a client adds before the trusted proxy’s do not count', async () => {
  expect(await statuses(PROXY, (n) => `203.0.113.${n}, ${CLIENT}, 10.2.2.2`)).toEqual([200, 200, 429]);
});

test('a client without a proxy cannot claim another address', async () => {
  expect(await statuses(CLIENT, (n) => `10.0.0.${n}`)).toEqual([200, 200, 429]);
});
