import { UserConcurrencyLimit } from '../../../src/http/user-concurrency.js';
import { eventually } from '../../support/eventually.js';
import { problemIn, RawConnection } from '../../support/raw-http.js';
import { ThingApp } from '../../support/thing-app.js';

const slots = new UserConcurrencyLimit({ name: 'requests', concurrentMax: 2, waitingMax: 1, waitMsMax: 600_000 });
let app: ThingApp;
let port: number;

beforeAll(async () => {
  app = await ThingApp.start({ slots });
  port = await app.listen();
});
afterAll(() => app.close());

const BODY = '{"name":"ada"}';
const head = (token: string, more: readonly string[] = []): string =>
  [`POST /things HTTP/1.1`, 'Host: x', 'Content-Type: application/json', `Content-Length: ${BODY.length}`]
    .concat(`Authorization: Bearer ${token}`, more, '', '')
    .join('\r\n');

async function send(text: string): Promise<RawConnection> {
  const connection = await RawConnection.to(port);
  connection.write(text);
  return connection;
}
const isWaiting = (count: number) => eventually(async () => expect(slots.waiting).toBe(count));

test('a user with slow uploads delays only himself', async () => {
  // Asked for its content: the request has a slot.
  const expecting = head('good', ['Expect: 100-continue']);
  const slow = [await send(expecting), await send(expecting)];
  for (const connection of slow) await connection.received(/100 Continue/);
  const next = await send(expecting);
  await isWaiting(1);
  const refused = await send(head('good', ['Connection: close']) + BODY);
  expect(problemIn(await refused.ended())).toMatchObject({
    status: 429,
    body: { details: { limit: 'requests', max: 3 }, retry_after: 1 },
  });
  const other = await send(head('others') + BODY);
  await other.received(/HTTP\/1.1 201/);

  slow[0]!.write(BODY);
  await slow[0]!.received(/HTTP\/1.1 201/);
  await next.received(/100 Continue/);
  for (const connection of [...slow, next, other]) connection.socket.destroy();
});

test('clients that disconnect leave no slot occupied', async () => {
  const expecting = head('good', ['Expect: 100-continue']);
  const gone = [await send(expecting), await send(expecting)];
  for (const connection of gone) await connection.received(/100 Continue/);
  gone.push(await send(expecting));
  await isWaiting(1);
  for (const connection of gone) connection.socket.destroy();
  await isWaiting(0);
  const again = [await send(head('good') + BODY), await send(head('good') + BODY)];
  for (const connection of again) {
    await connection.received(/HTTP\/1.1 201/);
    connection.socket.destroy();
  }
});
