import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import { clientAddress } from '../../../src/http/client-address.js';
import { ConnectionLimits, type ConnectionLimitsOptions } from '../../../src/http/connection-limits.js';
import { eventually } from '../../support/eventually.js';

let server: Server;
let limits: ConnectionLimits;
const clients: Socket[] = [];

async function serve(options: Partial<ConnectionLimitsOptions>): Promise<void> {
  limits = new ConnectionLimits({ max: 100, perAddressMax: 100, ...options });
  server = createServer((_request, response) => response.end('here'));
  limits.attach(server);
  server.listen(0, '::');
  await once(server, 'listening');
}

/** @returns whether a request on a new connection gets a response; the connection stays open */
async function isTaken(localAddress: string): Promise<boolean> {
  const host = localAddress.includes(':') ? '::1' : '127.0.0.1';
  const client = connect({ host, port: (server.address() as AddressInfo).port, localAddress });
  clients.push(client);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const reset = once(client, 'close').then(
    () => false,
    () => false,
  );
  return Promise.race([
    once(client, 'data').then(
      () => true,
      () => false,
    ),
    reset,
  ]);
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await eventually(async () => expect(limits.figures.open).toBe(0));
  server.close();
});

test('each address has its own limit of connections; a closed one makes room', async () => {
  await serve({ perAddressMax: 2 });
  const taken = [];
  for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.2', '::1']) taken.push(await isTaken(address));
  expect(taken).toEqual([true, true, false, true, true]);
  expect(limits.figures).toEqual({ open: 4, refused: 1 });
  clients[0]!.destroy();
  await eventually(async () => expect(limits.figures.open).toBe(3));
  expect(await isTaken('127.0.0.1')).toBe(true);
});

test('all addresses together have a limit', async () => {
  await serve({ max: 2 });
  const taken = [];
  for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) taken.push(await isTaken(address));
  expect(taken).toEqual([true, true, false]);
});

test('a trusted proxy has only the limit of all addresses together', async () => {
  await serve({ max: 3, perAddressMax: 1, trustProxy: ['127.0.0.1/32'] });
  const taken = [];
  for (const address of ['127.0.0.1', '127.0.0.1', '127.0.0.2', '127.0.0.1']) taken.push(await isTaken(address));
  expect(taken).toEqual([true, true, true, false]);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::99', '2001:db8:1:2::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('%j is counted as %j', (ip, counted) => {
  expect(clientAddress(ip)).toBe(counted);
});
