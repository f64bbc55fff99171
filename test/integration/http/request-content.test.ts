import { once } from 'node:events';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

import { answerToBytes, problemIn, RawConnection } from '../../support/raw-http.js';
import { BYTES_MAX, ThingApp } from '../../support/thing-app.js';

const MIB = 1024 ** 2;

let app: ThingApp;
let port: number;

beforeAll(async () => {
  app = await ThingApp.start();
  port = await app.listen();
});
afterAll(() => app.close());

const head = (target: string, ...headers: string[]): string =>
  [`POST ${target} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
const GOOD = 'Authorization: Bearer good';
const BAD = 'Authorization: Bearer bad';
const JSON_TYPE = 'Content-Type: application/json';
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const CLOSE = 'Connection: close';
const EMPTY_CHUNKS = '0\r\n\r\n';

describe('the response comes before the content is read', () => {
  test.each([
    ['a client without a token', '/things', [JSON_TYPE, `Content-Length: ${24 * MIB}`], 401],
    ['a wrong token', '/things', [BAD, JSON_TYPE, `Content-Length: ${24 * MIB}`], 401],
    ['a wrong token, of unknown length', '/things', [BAD, JSON_TYPE, 'Transfer-Encoding: chunked'], 401],
    ['content over the limit', '/things', [GOOD, JSON_TYPE, `Content-Length: ${MIB + 1}`], 413],
    [
      'content over the limit, on a route with a higher one',
      '/things/large',
      [GOOD, JSON_TYPE, `Content-Length: ${24 * MIB + 1}`],
      413,
    ],
    ['content of another type', '/things', [GOOD, FORM, `Content-Length: ${MIB}`], 415],
    ['content without a type', '/things', [GOOD, `Content-Length: ${MIB}`], 415],
    ['compressed', '/things', [GOOD, JSON_TYPE, 'Content-Encoding: gzip', `Content-Length: ${MIB}`], 415],
    ['an unknown route', '/nothing', [GOOD, JSON_TYPE, `Content-Length: ${MIB}`], 404],
  ])('for %s', async (_what, target, headers, status) => {
    // No byte of it is sent.
    const { head: answered, ...answer } = problemIn(await answerToBytes(port, head(target, ...headers)));
    expect([answer.status, answer.body['status']]).toEqual([status, status]);
    expect(answered.toLowerCase()).toContain('connection: close');
    if (status === 401) expect(answered).toMatch(/www-authenticate: Bearer/i);
  });

  test('for a client over its rate limit, known or not', async () => {
    const counted = head('/open/counted', JSON_TYPE, `Content-Length: ${MIB}`);
    const first = await answerToBytes(port, head('/open/counted', CLOSE));
    const second = problemIn(await answerToBytes(port, counted));
    expect([first.slice(9, 12), second.status]).toEqual(['201', 429]);
    expect(second.head).toMatch(/retry-after: \d+/i);
  });

  test('and little of the remaining content is read', async () => {
    const accepted = once(app.server, 'connection') as Promise<[Socket]>;
    const connection = await RawConnection.to(port);
    const [server] = await accepted;
    const closed = once(server, 'close');
    connection.write(head('/things', BAD, JSON_TYPE, `Content-Length: ${24 * MIB}`));
    connection.write(Buffer.alloc(24 * MIB));
    expect(await connection.received(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 401 /);
    await closed;
    expect(server.bytesRead).toBeLessThan(4 * MIB);
    connection.socket.destroy();
  });

  test('and a client that sends everything before reading still gets the response', async () => {
    const connection = await RawConnection.to(port);
    connection.write(head('/things', BAD, JSON_TYPE, `Content-Length: ${MIB}`));
    connection.socket.pause();
    connection.write(Buffer.alloc(MIB / 2));
    connection.write(Buffer.alloc(MIB / 2));
    connection.socket.end();
    await once(connection.socket, 'finish');
    connection.socket.resume();
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 401 .*"error"/s);
  });

  test('bytes after a refused request are not executed as a request', async () => {
    const length = 100_000;
    const bytes =
      head('/things', BAD, JSON_TYPE, `Content-Length: ${length}`) +
      'x'.repeat(length) +
      head('/things/optional', GOOD);
    expect((await answerToBytes(port, bytes)).match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  test('after little content the connection is reused', async () => {
    const bytes = head('/things', BAD, JSON_TYPE, 'Content-Length: 2') + '{}' + head('/things/optional', GOOD, CLOSE);
    expect((await answerToBytes(port, bytes)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 201']);
  });
});

describe('Expect: 100-continue', () => {
  const EXPECT = 'Expect: 100-continue';

  test('gets a 100 if the content will be read', async () => {
    const connection = await RawConnection.to(port);
    const content = '{"name":"x"}';
    connection.write(head('/things', GOOD, JSON_TYPE, EXPECT, CLOSE, `Content-Length: ${content.length}`));
    expect(await connection.received(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    connection.write(content);
    expect(await connection.ended()).toMatch(/HTTP\/1\.1 201 .*\{"name":"x"\}$/s);
  });

  test.each([
    ['content over the limit', [GOOD, JSON_TYPE, `Content-Length: ${MIB + 1}`], 413],
    ['a wrong token', [BAD, JSON_TYPE, 'Content-Length: 12'], 401],
    ['content of another type', [GOOD, FORM, 'Content-Length: 12'], 415],
  ])('gets the response to %s at once, and the connection closes', async (_what, headers, status) => {
    const text = await answerToBytes(port, head('/things', ...headers, EXPECT));
    expect(problemIn(text).status).toBe(status);
    expect(text.toLowerCase()).toContain('connection: close');
  });
});

/** Whatever a client declares about content that it does not send. */
const TYPES = [
  ...['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data', 'multipart/form-data; boundary=x'],
  ...['application/json', 'application/json; charset=utf-8', 'application/json;;', 'json', '', '/', 'a/b; c="'],
];
describe.each(TYPES)('no content with the type %j', (type) => {
  test.each([
    ['a length of 0', ['Content-Length: 0'], ''],
    ['a length of 00', ['Content-Length: 00'], ''],
    ['no length', [], ''],
    ['chunks', ['Transfer-Encoding: chunked'], EMPTY_CHUNKS],
    ['a coding', ['Content-Length: 0', 'Content-Encoding: gzip'], ''],
    ['chunks and a coding', ['Transfer-Encoding: chunked', 'Content-Encoding: gzip'], EMPTY_CHUNKS],
  ])('and %s is no content', async (_what, headers, content) => {
    const send = (target: string) =>
      answerToBytes(port, head(target, GOOD, CLOSE, `Content-Type: ${type}`, ...headers) + content);
    expect(await send('/things/optional')).toMatch(/^HTTP\/1\.1 201 .*\{"body":null\}$/s);
    expect(await send('/things/bytes')).toMatch(/^HTTP\/1\.1 201 .*\{"hex":null\}$/s);
    // If content is required, its absence is the error.
    expect(problemIn(await send('/things'))).toMatchObject({ status: 400, body: { error: 'Validation failed' } });
  });
});

const chunked = (content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from(`\r\n${EMPTY_CHUNKS}`)]);

describe('content that cannot be read', () => {
  const json = Buffer.from('{"name":"x"}');

  test.each(['gzip', 'deflate', 'br', 'zstd', 'x-gzip', 'gzip, gzip', 'identity, gzip'])(
    'compressed with %s is a 415 that names the accepted encoding',
    async (coding) => {
      const compressed = gzipSync(json);
      for (const [framing, content] of [
        [`Content-Length: ${compressed.length}`, compressed],
        ['Transfer-Encoding: chunked', chunked(compressed)],
      ] as const) {
        const bytes = head('/things', GOOD, CLOSE, JSON_TYPE, `Content-Encoding: ${coding}`, framing);
        const answer = problemIn(await answerToBytes(port, Buffer.concat([Buffer.from(bytes), content])));
        expect(answer).toMatchObject({ status: 415, body: { error: 'Unsupported content encoding' } });
        expect(answer.head).toMatch(/^accept-encoding: identity\r$/im);
      }
    },
  );

  test('of another type, chunked, is a 415', async () => {
    const bytes = Buffer.concat([
      Buffer.from(head('/things/optional', GOOD, CLOSE, FORM, 'Transfer-Encoding: chunked')),
      chunked(json),
    ]);
    const answer = problemIn(await answerToBytes(port, bytes));
    expect(answer).toMatchObject({ status: 415, body: { error: 'Unsupported media type' } });
    expect(answer.head).toMatch(/^accept: application\/json\r$/im);
  });

  test('chunked and over the limit is a 413', async () => {
    const bytes = Buffer.concat([
      Buffer.from(head('/things', GOOD, CLOSE, JSON_TYPE, 'Transfer-Encoding: chunked')),
      chunked(Buffer.alloc(MIB + 1, ' ')),
    ]);
    expect(problemIn(await answerToBytes(port, bytes)).status).toBe(413);
  });

  test.each(['identity', ' IDENTITY ', ''])('but the coding %j is ignored', async (coding) => {
    const bytes = head(
      '/things',
      GOOD,
      CLOSE,
      JSON_TYPE,
      `Content-Encoding: ${coding}`,
      `Content-Length: ${json.length}`,
    );
    expect(await answerToBytes(port, `${bytes}${json.toString()}`)).toMatch(/^HTTP\/1\.1 201 /);
  });
});

describe('a route that takes bytes', () => {
  const bytes = Buffer.from([0, 255, 10, 13, 123]);
  const send = (type: string[], content: Buffer, framing = `Content-Length: ${content.length}`) =>
    answerToBytes(port, Buffer.concat([Buffer.from(head('/things/bytes', GOOD, CLOSE, ...type, framing)), content]));

  test.each([
    'Content-Type: application/octet-stream',
    'content-type: APPLICATION/OCTET-STREAM',
    'Content-Type: text/plain',
    'Content-Type: text/plain; charset=utf-16',
    // Not a header of the content.
    'X-Type: none',
  ])('gets them unchanged with %s', async (type) => {
    for (const answer of [
      await send([type], bytes),
      await send([type], chunked(bytes), 'Transfer-Encoding: chunked'),
    ]) {
      expect(answer).toMatch(/^HTTP\/1\.1 201 .*\{"hex":"00ff0a0d7b"\}$/s);
    }
  });

  test.each(['application/json', 'application/x-www-form-urlencoded', 'text/html', 'text/plainer', ''])(
    'refuses the type %j, and names those that it takes',
    async (type) => {
      for (const [content, framing] of [
        [bytes, `Content-Length: ${bytes.length}`],
        [chunked(bytes), 'Transfer-Encoding: chunked'],
      ] as const) {
        const answer = problemIn(await send([`Content-Type: ${type}`], content, framing));
        expect(answer).toMatchObject({ status: 415, body: { error: 'Unsupported media type' } });
        expect(answer.head).toMatch(/^accept: application\/octet-stream, text\/plain\r$/im);
      }
    },
  );

  test('has a limit of its own', async () => {
    const type = ['Content-Type: text/plain'];
    expect(await send(type, Buffer.alloc(BYTES_MAX))).toMatch(/^HTTP\/1\.1 201 /);
    expect(problemIn(await send(type, Buffer.alloc(BYTES_MAX + 1))).status).toBe(413);
    const tooLong = chunked(Buffer.alloc(BYTES_MAX + 1));
    expect(problemIn(await send(type, tooLong, 'Transfer-Encoding: chunked')).status).toBe(413);
  });

  test('refuses compressed bytes', async () => {
    const answer = problemIn(await send(['Content-Type: text/plain', 'Content-Encoding: gzip'], gzipSync(bytes)));
    expect(answer).toMatchObject({ status: 415, body: { error: 'Unsupported content encoding' } });
  });

  test.each(['application/octet-stream', 'text/plain'])('no other route takes %s', async (type) => {
    const json = '{"name":"x"}';
    const sent = head('/things', GOOD, CLOSE, `Content-Type: ${type}`, `Content-Length: ${json.length}`) + json;
    const answer = problemIn(await answerToBytes(port, sent));
    expect(answer.status).toBe(415);
    expect(answer.head).toMatch(/^accept: application\/json\r$/im);
  });
});
