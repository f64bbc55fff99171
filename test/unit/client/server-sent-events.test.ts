import fc from 'fast-check';

import { type ServerSentEvent, serverSentEvents } from '../../../packages/client/src/streaming/server-sent-events.js';

async function* cut(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, begin] of places.slice(0, -1).entries()) yield bytes.subarray(begin, places[index + 1]);
}

async function parse(text: string, cuts: readonly number[] = []): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(cut(Buffer.from(text), cuts))) events.push(event);
  return events;
}

const STREAM = [
  'retry: 1000\n\n:\n\nid: 1\nevent: a\ndata: {"x": "ü€😀"}\n\n',
  'id: 2\r\nevent: b\r\ndata: one\r\ndata: two\r\n\r\n',
  'data:no space\rdata:  two spaces\r\r',
  'id\nevent: no data\n\nevent: c\ndata\n\nunknown: x\ndata: cut off',
].join('');
const PARSED = [
  { id: '1', event: 'a', data: '{"x": "ü€😀"}' },
  { id: '2', event: 'b', data: 'one\ntwo' },
  { id: '2', event: 'message', data: 'no space\n two spaces' },
  { id: '', event: 'c', data: '' },
];

test('an event stream is parsed as the standard says', async () => {
  expect(await parse(STREAM)).toEqual(PARSED);
});

test('however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 500 }), { maxLength: 20 }), async (cuts) => {
      expect(await parse(STREAM, cuts)).toEqual(PARSED);
    }),
  );
});

test('an endless event is refused', async () => {
  const endless = async function* () {
    for (;;) yield Buffer.alloc(1024 ** 2, 'x');
  };
  await expect(serverSentEvents(endless()).next()).rejects.toThrow('too long');
});
