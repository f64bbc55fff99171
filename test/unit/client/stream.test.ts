import { type StreamItem, VoidRunner } from '@voidrunner/client';

import { eventually } from '../../support/eventually.js';
import {
  broken,
  complete,
  empty,
  json,
  noBytes,
  open,
  problem,
  type Reply,
  reset,
  ScriptedServer,
} from '../../support/scripted-server.js';

const EVENTS = 'GET /api/v1/executions/e/events';
const STDOUT = 'GET /api/v1/executions/e/output/stdout';
const STDERR = 'GET /api/v1/executions/e/output/stderr';
const EXECUTION = 'GET /api/v1/executions/e';
const SSE = 'text/event-stream';
const BYTES = 'application/octet-stream';

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

const client = () => new VoidRunner({ baseUrl: server.url, apiKey: 'vr_key' });
const sent = (version: number, type: string) =>
  `id: ${version}\nevent: ${type}\ndata: ${JSON.stringify({ type, version })}\n\n`;
const finished = (index: number) => `event: test\ndata: ${JSON.stringify({ index, verdict: 'accepted' })}\n\n`;
const execution = (attempt: number, started_at: string | null, status = 'running') =>
  json(200, { id: 'e', status, attempt, started_at });

async function collect(types: readonly StreamItem['type'][]): Promise<StreamItem[]> {
  const items: StreamItem[] = [];
  for await (const item of client().stream('e', { types })) items.push(item);
  return items;
}
const textOf = async (types: readonly StreamItem['type'][] = ['stdout']) =>
  (await collect(types)).map((item) => ('text' in item ? item.text : '')).join('');
const namesOf = (items: readonly StreamItem[]) =>
  items.map((item) =>
    item.type === 'event' ? item.event.type : 'test' in item ? `test ${item.test.index}` : item.type,
  );

describe('events', () => {
  test('continue after the last one when the connection breaks, and end with the execution', async () => {
    server.on(
      EVENTS,
      broken(SSE, 'retry: 1000\n\n', sent(1, 'ExecutionRequested'), sent(2, 'ExecutionAttemptStarted')),
      reset,
      broken(SSE, sent(3, 'ExecutionRetryScheduled'), 'id: 4\nevent: ExecutionSucc'),
      complete(SSE, ':\n\n', sent(4, 'ExecutionSucceeded')),
      empty,
    );
    expect(namesOf(await collect(['event']))).toEqual([
      ...['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionRetryScheduled', 'ExecutionSucceeded'],
    ]);
    expect(server.received.map(({ headers }) => [headers['last-event-id'], headers.accept])).toEqual([
      [undefined, SSE],
      ['2', SSE],
      ['2', SSE],
      ['3', SSE],
      ['4', SSE],
    ]);
  });

  test('of tests come once, although those of the attempt under way are sent again', async () => {
    server.on(
      EVENTS,
      broken(SSE, sent(1, 'ExecutionAttemptStarted'), finished(0), finished(1)),
      complete(
        SSE,
        finished(0),
        finished(1),
        finished(2),
        sent(2, 'ExecutionAttemptFailed'),
        sent(3, 'ExecutionAttemptStarted'),
      ),
      complete(SSE, finished(0), sent(4, 'ExecutionSucceeded')),
      empty,
    );
    expect(namesOf(await collect(['test']))).toEqual(['test 0', 'test 1', 'test 2', 'test 0']);
  });

  test('that are no JSON are an error', async () => {
    server.on(EVENTS, complete(SSE, 'id: 1\nevent: x\ndata: {"type"\n\n'));
    await expect(collect(['event'])).rejects.toThrow('no JSON');
  });

  test('that are refused are an error', async () => {
    server.on(EVENTS, problem(403, 'missing_scope'));
    await expect(collect(['event', 'stdout'])).rejects.toMatchObject({ code: 'missing_scope' });
  });

  test('of a stream that is closed at once, again and again, are an error in the end', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    try {
      server.on(EVENTS, complete(SSE, 'retry: 1000\n\n'));
      await expect(collect(['event'])).rejects.toThrow('again and again');
      expect(server.of(EVENTS)).toHaveLength(11);
    } finally {
      random.mockRestore();
    }
  });
});

describe('output', () => {
  test('continues at the next byte of the same attempt', async () => {
    server.on(EXECUTION, execution(1, 'T1'));
    server.on(STDOUT, broken(BYTES, 'one ', 'two '), broken(BYTES, 'on'), broken(BYTES, 'one two three '), reset);
    server.on(STDOUT, broken(BYTES, 'one ', 'two '), broken(BYTES, 'on'), complete(BYTES, 'one two th', 'ree four'));
    expect(await textOf()).toBe('one two three four');
    expect(server.of(STDOUT).map(({ url }) => url.split('?')[1])).toEqual(Array(3).fill('follow=true'));
  });

  test.each([
    ['another attempt', execution(2, 'T2')],
    ['another start of the same attempt', execution(1, 'T2')],
    ['the wait for the next attempt', execution(2, null, 'pending')],
  ])('begins again with %s', async (_, now) => {
    server.on(EXECUTION, execution(1, 'T1'), now);
    server.on(STDOUT, broken(BYTES, 'first '), complete(BYTES, 'second'));
    expect(await textOf()).toBe('first second');
  });

  test('of an execution that has ended comes to its end', async () => {
    server.on(EXECUTION, execution(1, 'T1'), execution(1, 'T1', 'completed'));
    server.on(STDOUT, broken(BYTES, 'first '), complete(BYTES, 'first second'));
    expect(await textOf()).toBe('first second');
  });

  test('of an execution that has ended and printed nothing', async () => {
    server.on(STDOUT, noBytes);
    server.on(STDERR, empty);
    expect(await collect(['stdout', 'stderr'])).toEqual([]);
  });

  test('has whole characters as text, and the bytes as data', async () => {
    const euro = Buffer.from('€');
    server.on(EXECUTION, execution(1, 'T1'));
    server.on(
      STDOUT,
      broken(BYTES, 'a', euro.subarray(0, 1)),
      complete(BYTES, 'a', euro.subarray(0, 2), euro.subarray(2), euro.subarray(0, 2)),
    );
    const items = await collect(['stdout']);
    expect(items.map((item) => ('text' in item ? item.text : ''))).not.toContain('\ufffd\ufffd');
    expect(items.map((item) => ('text' in item ? item.text : '')).join('')).toBe('a€\ufffd');
    expect(Buffer.concat(items.map((item) => ('data' in item ? item.data : new Uint8Array())))).toEqual(
      Buffer.concat([Buffer.from('a'), euro, euro.subarray(0, 2)]),
    );
  });

  test('of both streams and events come together', async () => {
    server.on(EXECUTION, execution(1, 'T1'));
    server.on(STDOUT, complete(BYTES, 'out')).on(STDERR, complete(BYTES, 'err'));
    server.on(EVENTS, complete(SSE, sent(1, 'ExecutionRequested')), empty);
    const items: StreamItem[] = [];
    for await (const item of client().stream('e')) items.push(item);
    expect(namesOf(items).sort()).toEqual(['ExecutionRequested', 'stderr', 'stdout']);
  });
});

describe('a consumer', () => {
  const closed = () => {
    let count = 0;
    return {
      reply:
        (contentType: string, part: string): Reply =>
        (response, received) => {
          response.on('close', () => (count += 1));
          return open(contentType, part)(response, received);
        },
      count: () => count,
    };
  };

  test('that aborts gets its reason, and all connections are closed', async () => {
    const connections = closed();
    server.on(EXECUTION, execution(1, 'T1')).on(STDOUT, connections.reply(BYTES, 'out'));
    server.on(STDERR, connections.reply(BYTES, '')).on(EVENTS, connections.reply(SSE, sent(1, 'ExecutionRequested')));
    const abort = new AbortController();
    const reason = new Error('enough');
    const seen: string[] = [];
    const consume = async () => {
      for await (const { type } of client().stream('e', { signal: abort.signal })) {
        seen.push(type);
        if (seen.length === 2) abort.abort(reason);
      }
    };
    await expect(consume()).rejects.toBe(reason);
    await eventually(() => expect(connections.count()).toBe(server.received.length - server.of(EXECUTION).length));
  });

  test('that stops closes all connections', async () => {
    const connections = closed();
    server.on(EXECUTION, execution(1, 'T1')).on(STDOUT, connections.reply(BYTES, 'out'));
    server.on(STDERR, connections.reply(BYTES, 'err'));
    for await (const _ of client().stream('e', { types: ['stdout', 'stderr'] })) break;
    await eventually(() => expect(connections.count()).toBe(2));
  });

  test('that aborts between two connections gets its reason', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    server.on(EVENTS, (response, received) => {
      abort.abort(reason);
      return broken(SSE, sent(1, 'ExecutionRequested'))(response, received);
    });
    const consume = async () => {
      for await (const _ of client().stream('e', { types: ['event'], signal: abort.signal }));
    };
    await expect(consume()).rejects.toBe(reason);
  });
});
