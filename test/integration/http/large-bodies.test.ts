import { LargeBodies } from '../../../src/http/large-bodies.js';
import { eventually } from '../../support/eventually.js';
import { problemIn, RawConnection } from '../../support/raw-http.js';
import { heldAuthentication, ThingApp } from '../../support/thing-app.js';

const MIB = 1024 ** 2;
const [SLOTS, WAITING] = [2, 1];
const CHUNKED = 'Transfer-Encoding: chunked';

const BODY = `{"text":"${'x'.repeat(MIB)}"}`;
const LENGTH = `Content-Length: ${BODY.length}`;

interface Server {
  readonly app: ThingApp;
  readonly port: number;
  readonly bodies: LargeBodies;
}

async function serve(waitMsMax: number, contentMsMax?: number): Promise<Server> {
  const bodies = new LargeBodies({ concurrentMax: SLOTS, waitingMax: WAITING, waitMsMax });
  const app = await ThingApp.start({ largeBodies: bodies, ...(contentMsMax && { contentMsMax }) });
  return { app, port: await app.listen(), bodies };
}

const head = (user: number, framing: string, target = '/things/large', more: readonly string[] = []): string =>
  [`POST ${target} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', framing]
    .concat(`Authorization: Bearer user-${user}`, more, '', '')
    .join('\r\n');

describe('large bodies', () => {
  let server: Server;
  let open: RawConnection[] = [];
  beforeEach(async () => {
    server = await serve(600_000);
  });
  afterEach(async () => {
    for (const { socket } of open) socket.destroy();
    open = [];
    await server.app.close();
  });

  async function send(text: string): Promise<RawConnection> {
    const connection = await RawConnection.to(server.port);
    open.push(connection);
    connection.write(text);
    return connection;
  }

  /** Asks before it sends its body, so the test sees when it has a slot. */
  const ask = (user: number, framing = LENGTH) => send(head(user, framing, '/things/large', ['Expect: 100-continue']));
  const isAsked = (connection: RawConnection) => connection.received(/100 Continue/);
  const isAnswered = (connection: RawConnection, status = 200) =>
    connection.received(new RegExp(`HTTP/1.1 ${status}.*\\}`, 's'));
  const isWaiting = (count: number) => eventually(async () => expect(server.bodies.waiting).toBe(count));

  test('one of each user, and some of all users, are read at a time', async () => {
    const first = await ask(1);
    await isAsked(first);
    const second = await ask(1);
    await isWaiting(1);
    const other = await ask(2);
    await isAsked(other);
    const third = await ask(3);
    await isWaiting(2);
    // Of user 1, the second one is next. It then waits behind user 3.
    first.write(BODY);
    await isAnswered(first);
    await isAsked(third);
    await isWaiting(1);
    other.write(BODY);
    await isAnswered(other);
    await isAsked(second);
    for (const connection of [second, third]) {
      connection.write(BODY);
      await isAnswered(connection);
    }
    await isWaiting(0);
  });

  test('small ones do not wait, nor do those that fail a check', async () => {
    for (const user of [1, 2]) await isAsked(await ask(user));
    const small = '{"text":"x"}';
    await isAnswered(await send(head(1, `Content-Length: ${small.length}`) + small));
    const tooLarge = await send(head(3, `Content-Length: ${24 * MIB + 1}`));
    expect(problemIn(await tooLarge.ended()).status).toBe(413);
    // Chunks of a body that may have 1 MiB.
    await isAnswered(await send(`${head(1, CHUNKED, '/things')}f\r\n{"name":"tiny"}\r\n0\r\n\r\n`), 201);
  });

  test('chunks count as large', async () => {
    for (const user of [1, 2]) await isAsked(await ask(user, CHUNKED));
    const third = await ask(3, CHUNKED);
    await isWaiting(1);
    open[0]!.write(`${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`);
    await isAnswered(open[0]!);
    await isAsked(third);
  });

  test('too many of one user are a 429, too many of all users a 503', async () => {
    for (const user of [1, 2]) await isAsked(await ask(user));
    const more = await ask(1);
    await ask(3);
    await isWaiting(2);
    const [own, others] = [await ask(1), await ask(4)];
    expect(problemIn(await own.ended())).toMatchObject({
      status: 429,
      body: { details: { limit: 'large_bodies', max: 2 } },
    });
    const { status, head: answered, body } = problemIn(await others.ended());
    expect([status, body['type']]).toEqual([503, 'urn:voidrunner:problem:too_many_large_bodies']);
    expect(answered).toMatch(/retry-after: 5/i);
    more.socket.destroy();
    await isWaiting(1);
  });

  test('clients that disconnect leave no slot occupied', async () => {
    for (const user of [1, 2]) await isAsked(await ask(user));
    open[1]!.write(BODY.slice(0, 100_000));
    await ask(3);
    await isWaiting(1);
    for (const { socket } of open) socket.destroy();
    await isWaiting(0);
    for (const user of [1, 2]) await isAsked(await ask(user));
  });

  test.each(['application/json', 'text/plain'])(
    'a complete body (%s) whose client leaves before it is read leaves no slot occupied',
    async (type) => {
      for (let count = 0; count <= SLOTS; count += 1) {
        const held = head(count, CHUNKED).replace('application/json', type).replace('user-', 'held-');
        const { socket } = await send(`${held}1\r\nx\r\n0\r\n\r\n`);
        await eventually(async () => expect(heldAuthentication.count).toBe(1));
        socket.destroy();
        await eventually(async () => expect(await server.app.connections()).toBe(0));
        heldAuthentication.release();
      }
      for (const user of [1, 2]) await isAsked(await ask(user));
    },
  );

  test('content that will be refused gets no slot', async () => {
    for (const user of [1, 2]) await isAsked(await ask(user));
    const refused = await send(head(3, CHUNKED).replace('application/json', 'text/plain'));
    refused.write('1\r\nx\r\n');
    expect(problemIn(await refused.ended()).status).toBe(415);
    expect(server.bodies.waiting).toBe(0);
  });

  test('a malformed body leaves no slot occupied', async () => {
    const malformed = BODY.slice(0, -1).padEnd(BODY.length);
    for (let count = 0; count <= SLOTS; count += 1) {
      const { status } = problemIn(
        await (await send(head(1, LENGTH, '/things/large', ['Connection: close']) + malformed)).ended(),
      );
      expect(status).toBe(400);
    }
  });
});

test('a request that has waited too long is refused', async () => {
  const { app, port } = await serve(50);
  const asking = async (user: number): Promise<RawConnection> => {
    const connection = await RawConnection.to(port);
    connection.write(head(user, LENGTH, '/things/large', ['Expect: 100-continue']));
    return connection;
  };
  const first = [await asking(1), await asking(2)];
  for (const connection of first) await connection.received(/100 Continue/);
  expect(problemIn(await (await asking(1)).ended()).status).toBe(429);
  expect(problemIn(await (await asking(3)).ended()).status).toBe(503);
  for (const { socket } of first) socket.destroy();
  await app.close();
});

test('a client that sends its body slowly loses its slot', async () => {
  const { app, port, bodies } = await serve(600_000, 300);
  const slow = [await RawConnection.to(port), await RawConnection.to(port)];
  for (const [index, connection] of slow.entries()) connection.write(head(index, LENGTH) + BODY.slice(0, 1_000));
  const dripping = setInterval(() => slow[0]!.write('x'), 50);
  const next = await RawConnection.to(port);
  next.write(head(3, LENGTH) + BODY);
  await next.received(/HTTP\/1.1 200/);
  for (const connection of slow) {
    const { status, head: answered } = problemIn(await connection.ended());
    expect(status).toBe(408);
    expect(answered).toMatch(/connection: close/i);
  }
  // Nor does content wait for its first byte without limit if it will be refused.
  const silent = await RawConnection.to(port);
  silent.write(head(1, CHUNKED).replace('application/json', 'text/plain'));
  expect(problemIn(await silent.ended()).status).toBe(408);
  // After a 408 the connection closes, however little is left to read.
  const small = await RawConnection.to(port);
  small.write(head(2, 'Content-Length: 100'));
  const late = problemIn(await small.ended());
  expect([late.status, /connection: close/i.test(late.head)]).toEqual([408, true]);
  clearInterval(dripping);
  expect(bodies.waiting).toBe(0);
  next.socket.destroy();
  await app.close();
});
