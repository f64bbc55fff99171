import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import proxyAddr from '@fastify/proxy-addr';

import { HostAddresses, SystemHostAddresses } from '../../../src/webhook-endpoints/host-addresses.js';
import { WebhookSender, type SendResult, type WebhookRequest } from '../../../src/webhooks/delivery/webhook-sender.js';
import { eventually } from '../../support/eventually.js';

/** What names resolve to; counts how often it was asked. */
class Names extends HostAddresses {
  asked = 0;

  constructor(private readonly answers: (asked: number) => readonly string[]) {
    super();
  }

  override async of(): Promise<readonly string[]> {
    return this.answers(this.asked++);
  }
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const NEVER = new AbortController().signal;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const sender = (hosts: HostAddresses = new SystemHostAddresses(), networks = LOOPBACK) => {
  const isAllowed = proxyAddr.compile(networks);
  return new WebhookSender(hosts, { allowHttp: true, isAllowedAddress: (address) => isAllowed(address, 0) });
};
const post = (url: string, changes: Partial<WebhookRequest> & { signal?: AbortSignal; by?: WebhookSender } = {}) => {
  const { method = 'POST', body = '{}', signal = NEVER, by = sender() } = changes;
  return by.send({ url, method, headers: { 'content-type': 'application/json', 'x-test': 'yes' }, body }, signal);
};
const shown = ({ statusCode, failure }: SendResult) => ({ statusCode, failure });
const failed = (failure: string) => ({ statusCode: null, failure });

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  closing.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** A server that speaks as the test says, from the first bytes of a request on. */
async function raw(respond: (socket: Socket) => void): Promise<string> {
  const port = await listen(createServer((socket) => void socket.once('data', () => respond(socket))));
  return `http://127.0.0.1:${port}/`;
}

async function http(respond: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer(respond))}/`;
}

const says = (...parts: string[]) => raw((socket) => void parts.forEach((part) => socket.write(part)));

test('what is sent is what was given, to the path of the URL', async () => {
  let seen: Pick<IncomingMessage, 'method' | 'url' | 'headers'> | undefined;
  let text = '';
  const url = await http((request, response) => {
    seen = request;
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => response.end());
  });
  const body = JSON.stringify({ text: 'Grüße 🙂' });
  expect(shown(await post(`${url}hook?a=b%20c`, { body }))).toEqual({ statusCode: 200, failure: null });
  expect([seen?.method, seen?.url, text]).toEqual(['POST', '/hook?a=b%20c', body]);
  expect(seen?.headers).toMatchObject({
    host: new URL(url).host,
    'x-test': 'yes',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  });
});

describe('the status of the response decides', () => {
  test.each([200, 201, 202, 204, 299])('%d', async (status) => {
    const url = await http((_, response) => response.writeHead(status).end());
    expect(shown(await post(url))).toEqual({ statusCode: status, failure: null });
  });

  test.each([300, 400, 401, 404, 410, 429, 500, 503, 599])('%d', async (status) => {
    const url = await http((_, response) => response.writeHead(status).end());
    expect(shown(await post(url))).toEqual({ statusCode: status, failure: 'status' });
  });

  test.each([301, 302, 303, 307, 308])('%d is not followed', async (status) => {
    let requests = 0;
    const url = await http((_, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(shown(await post(url))).toEqual({ statusCode: status, failure: 'status' });
    expect(requests).toBe(1);
  });

  test('interim responses do not', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n'.repeat(100);
    expect(shown(await post(await says(interim, 'HTTP/1.1 204 No Content\r\n\r\n')))).toEqual({
      statusCode: 204,
      failure: null,
    });
  });

  test('101, for which nobody asked', async () => {
    const url = await says('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    expect(shown(await post(url))).toEqual({ statusCode: 101, failure: 'status' });
  });

  test.each(['000', '099', '1000', 'abc', '20'])('%s is none', async (status) => {
    const url = await says(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`);
    expect(shown(await post(url))).toEqual(failed('connection'));
  });
});

describe('the content of a response is not read', () => {
  test('one that never ends', async () => {
    let closed = false;
    const url = await http((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => {
        clearInterval(timer);
        closed = true;
      });
    });
    expect(shown(await post(url))).toEqual({ statusCode: 200, failure: null });
    await eventually(() => expect(closed).toBe(true));
  });

  test('one that never begins', async () => {
    const url = await http((_, response) => response.writeHead(204, { 'x-some': 'head' }).flushHeaders());
    expect(shown(await post(url))).toEqual({ statusCode: 204, failure: null });
  });

  test('one that is not what its head says', async () => {
    const url = await says('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n');
    expect(shown(await post(url))).toEqual({ statusCode: 200, failure: null });
  });
});

test('a head of more than 16 KiB', async () => {
  const url = await says('HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(20_000)}\r\n\r\n`);
  expect(shown(await post(url))).toEqual(failed('response_too_large'));
});

describe('broken connections', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['reset before the head', (socket) => socket.resetAndDestroy()],
    ['closed before the head', (socket) => void socket.end()],
    ['closed within the head', (socket) => void socket.end('HTTP/1.1 200 OK\r\nx: y')],
    ['reset within the head', (socket) => void socket.write('HTTP/1.1 200', () => socket.resetAndDestroy())],
    ['another protocol', (socket) => void socket.write('SSH-2.0-OpenSSH_9.9\r\n')],
    ['HTTP/2', (socket) => void socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ])('%s', async (_, respond) => {
    expect(shown(await post(await raw(respond)))).toEqual(failed('connection'));
  });

  test('reset after the head: it was answered', async () => {
    const url = await raw(
      (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', () => socket.resetAndDestroy()),
    );
    expect((await post(url)).statusCode).toBe(200);
  });

  test('half closed by the receiver, which answers nevertheless', async () => {
    const port = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('data', () => undefined);
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      }),
    );
    expect((await post(`http://127.0.0.1:${port}/`)).statusCode).toBe(200);
  });

  test('nobody listens', async () => {
    const url = await http(() => undefined);
    await closing.pop()!();
    expect(shown(await post(url))).toEqual(failed('connection'));
  });
});

describe('it takes ten seconds at most', () => {
  const takes = async (url: string, body = '{}') => expect(shown(await post(url, { body }))).toEqual(failed('timeout'));

  // Together: each takes its ten seconds.
  test('no head, a slow one, endless interim responses, nothing read, a look-up without an answer', async () => {
    const every = (socket: Socket, text: string) => {
      const timer = setInterval(() => socket.write(text), 50);
      socket.on('close', () => clearInterval(timer));
    };
    const unread = createServer((socket) => void socket.pause());
    const hangingNames = new (class extends HostAddresses {
      override of = () => new Promise<never>(() => undefined);
    })();
    await Promise.all([
      takes(await raw(() => undefined)),
      takes(
        await raw((socket) => {
          socket.write('HTTP/1.1 200 OK\r\n');
          every(socket, 'x: y\r\n');
        }),
      ),
      takes(await raw((socket) => every(socket, 'HTTP/1.1 100 Continue\r\n\r\n'))),
      takes(`http://127.0.0.1:${await listen(unread)}/`, 'x'.repeat(16 * 1024 ** 2)),
      post('http://hangs.example/', { by: sender(hangingNames) }).then((result) =>
        expect(shown(result)).toEqual(failed('timeout')),
      ),
    ]);
  });
});

describe('it can be stopped', () => {
  test('during the request, at once', async () => {
    const stopping = new AbortController();
    let requests = 0;
    const url = await http(() => {
      requests += 1;
      stopping.abort();
    });
    const result = await post(url, { signal: stopping.signal });
    expect([shown(result), requests]).toEqual([failed('connection'), 1]);
  });

  test('during the look-up, and before it', async () => {
    const stopping = new AbortController();
    const hosts = new (class extends HostAddresses {
      override of = () => {
        stopping.abort();
        return new Promise<never>(() => undefined);
      };
    })();
    for (let times = 0; times < 2; times += 1) {
      const result = await post('http://hangs.example/', { by: sender(hosts), signal: stopping.signal });
      expect(result.statusCode).toBeNull();
    }
  });
});

describe('only checked addresses are connected to', () => {
  const REFUSED = failed('address_refused');

  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0177.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::1]/',
  ])('%s, without allowed networks', async (url) =>
    expect(shown(await post(url, { by: sender(undefined, []) }))).toEqual(REFUSED),
  );

  test('a name of the loopback interface', async () => {
    expect(shown(await post('http://localhost/', { by: sender(undefined, []) }))).toEqual(REFUSED);
  });

  test('a name that leads to a private address', async () => {
    const by = sender(new Names(() => ['10.0.0.1', '169.254.169.254', 'fd00:ec2::254']));
    expect(shown(await post('http://rebinding.example/', { by }))).toEqual(REFUSED);
  });

  test('an answer that changes between check and connection has no effect', async () => {
    let requests = 0;
    const url = await http((_, response) => void response.end(String(++requests)));
    const { port } = new URL(url);
    // The receiver is allowed; the second answer would lead elsewhere.
    const names = new Names((asked) => (asked === 0 ? ['127.0.0.1'] : ['10.0.0.1']));
    const rebound = `http://rebinding.example:${port}/`;
    expect((await post(rebound, { by: sender(names) })).statusCode).toBe(200);
    expect([names.asked, requests]).toEqual([1, 1]);
    // And the other way round: the first answer is refused, and nobody asks again.
    expect(shown(await post(rebound, { by: sender(names) }))).toEqual(REFUSED);
    expect([names.asked, requests]).toEqual([2, 1]);
  });

  test('of public and private answers the private ones are left out', async () => {
    let requests = 0;
    const { port } = new URL(await http((_, response) => void response.end(String(++requests))));
    const by = sender(new Names(() => ['10.0.0.1', '127.0.0.1', '192.168.0.1']), ['127.0.0.0/8']);
    expect((await post(`http://mixed.example:${port}/`, { by })).statusCode).toBe(200);
    expect(requests).toBe(1);
  });

  test('if one address does not respond, the next one is tried', async () => {
    const { port } = new URL(await http((_, response) => void response.end()));
    const by = sender(new Names(() => ['127.0.0.2', '::1', '127.0.0.1']));
    expect((await post(`http://several.example:${port}/`, { by })).statusCode).toBe(200);
  });

  test('IPv6', async () => {
    const port = await listen(
      createHttpServer((_, response) => void response.end()),
      '::1',
    );
    expect((await post(`http://[::1]:${port}/`)).statusCode).toBe(200);
    expect((await post(`http://six.example:${port}/`, { by: sender(new Names(() => ['::1'])) })).statusCode).toBe(200);
  });

  test('a proxy of the environment is not used', async () => {
    const url = await http((_, response) => void response.end());
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = 'http://127.0.0.1:1/';
    try {
      expect((await post(url)).statusCode).toBe(200);
    } finally {
      delete process.env['HTTP_PROXY'];
      delete process.env['http_proxy'];
    }
  });

  test('a URL that has become invalid', async () => {
    for (const url of ['ftp://127.0.0.1/', 'http://user@127.0.0.1/', 'nonsense'])
      expect(shown(await post(url))).toEqual(REFUSED);
  });
});

test('a name without an address', async () => {
  const unknown = new Names(() => {
    throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' });
  });
  expect(shown(await post('http://nowhere.example/', { by: sender(unknown) }))).toEqual(failed('dns'));
});

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voidrunner-tls-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string];
  beforeAll(() => {
    const subject = ['-subj', '/CN=receiver.example', '-addext', 'subjectAltName=DNS:receiver.example'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
      stdio: 'ignore',
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a certificate that nobody has signed', async () => {
    let requests = 0;
    const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, () => (requests += 1));
    const port = await listen(server);
    expect(shown(await post(`https://127.0.0.1:${port}/`))).toEqual(failed('tls'));
    const by = sender(new Names(() => ['127.0.0.1']));
    expect(shown(await post(`https://receiver.example:${port}/`, { by }))).toEqual(failed('tls'));
    expect(requests).toBe(0);
  });

  test('a receiver that does not speak it', async () => {
    const url = await http((_, response) => void response.end());
    expect(shown(await post(url.replace('http:', 'https:')))).toEqual(failed('tls'));
  });

  test('one that never shakes hands', async () => {
    const port = await listen(createServer((socket) => socket.destroy()));
    expect(shown(await post(`https://127.0.0.1:${port}/`))).toEqual(failed('connection'));
  });
});

test('a thousand requests leave no socket behind', async () => {
  let open = 0;
  const server = createHttpServer((_, response) => void response.end('x'.repeat(1_000)));
  server.on('connection', (socket) => {
    open += 1;
    socket.on('close', () => (open -= 1));
  });
  const url = `http://127.0.0.1:${await listen(server)}/`;
  const by = sender();
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, () => post(url, { by })));
  await eventually(() => expect(open).toBe(0));
});
