import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { SystemHostAddresses } from '../../../src/webhook-endpoints/host-addresses.js';

const TYPE_A = 1;
const FLAGS_ANSWER = 0x8180;
const FLAGS_NO_SUCH_NAME = 0x8183;
const HEADER_BYTES = 12;

/** The names of the zone, by their first label. Nobody answers for others that begin with `hangs`. */
const ADDRESSES: Readonly<Record<string, readonly number[]>> = { one: [192, 0, 2, 1], two: [192, 0, 2, 2] };

let server: Socket;
let hosts: SystemHostAddresses;
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createSocket('udp4', (query, { port, address }) => {
    const response = responseTo(query);
    if (response) server.send(response, port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  hosts = new SystemHostAddresses([`127.0.0.1:${server.address().port}`]);
});
afterEach(() => server.close());

/** RFC 1035, section 4: the same question, and an address if there is one. */
function responseTo(query: Buffer): Buffer | null {
  const label = query.toString('latin1', HEADER_BYTES + 1, HEADER_BYTES + 1 + query[HEADER_BYTES]!).toLowerCase();
  asked.push(label);
  if (label.startsWith('hangs')) return null;
  const questionEnd = query.indexOf(0, HEADER_BYTES) + 5;
  const type = query.readUInt16BE(questionEnd - 4);
  const address = type === TYPE_A ? ADDRESSES[label] : undefined;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(label in ADDRESSES ? FLAGS_ANSWER : FLAGS_NO_SUCH_NAME, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address ? 1 : 0, 6);
  const answer = address ? Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 0, 0, 4, ...address]) : [];
  return Buffer.concat([header, query.subarray(HEADER_BYTES, questionEnd), Buffer.from(answer)]);
}

test('a name is resolved by DNS', async () => {
  expect(await hosts.of('one.example')).toEqual(['192.0.2.1']);
  await expect(hosts.of('none.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('an address is itself, and a name of this host is in its file', async () => {
  expect(await hosts.of('192.0.2.9')).toEqual(['192.0.2.9']);
  expect(await hosts.of('::1')).toEqual(['::1']);
  expect(await hosts.of('localhost')).toContain('127.0.0.1');
  expect(asked).toEqual([]);
});

test('look-ups that nobody answers hold up no other', async () => {
  const hanging = Array.from({ length: 100 }, (_, no) => hosts.of(`hangs${no}.example`));
  let ended = 0;
  const failures = hanging.map((one) =>
    one.catch((error: NodeJS.ErrnoException) => {
      ended += 1;
      return error.code;
    }),
  );
  expect(await hosts.of('one.example')).toEqual(['192.0.2.1']);
  expect(await hosts.of('two.example')).toEqual(['192.0.2.2']);
  expect(ended).toBe(0);
  expect(new Set(await Promise.all(failures))).toEqual(new Set(['ETIMEOUT']));
});
