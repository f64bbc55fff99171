import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';

import fastify, { type FastifyInstance } from 'fastify';

import { liveResponse } from '../../../src/http/live-response.js';

const A_MINUTE_MS = 60_000;
const CHUNK = Buffer.alloc(16 * 1024);

let server: FastifyInstance;
afterEach(() => server.close());

/** A server that sends everything, and how much it had to produce. */
async function serve(chunks: number, stalledMsMax: number) {
  const made = { chunks: 0, over: Promise.withResolvers<void>() };
  async function* source() {
    try {
      for (; made.chunks < chunks; made.chunks += 1) yield CHUNK;
    } finally {
      made.over.resolve();
    }
  }
  server = fastify();
  server.get('/', (_request, reply) => reply.send(liveResponse(reply, source(), stalledMsMax).getStream()));
  await server.listen({ port: 0, host: '127.0.0.1' });
  return { made, port: (server.server.address() as AddressInfo).port };
}

test('a client that reads gets everything', async () => {
  const { made, port } = await serve(200, A_MINUTE_MS);
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect((await answer.arrayBuffer()).byteLength).toBe(200 * CHUNK.length);
  await made.over.promise;
});

test('a client that reads nothing is cut off, and little is produced for it', async () => {
  const { made, port } = await serve(Number.POSITIVE_INFINITY, 50);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  // The endless source is closed when its client is cut off.
  await made.over.promise;
  // The socket buffers of both ends, 6 MiB at most with Linux's defaults, and the read-ahead.
  expect(made.chunks * CHUNK.length).toBeLessThan(16 * 1024 ** 2);
  socket.destroy();
});

test('headers are sent before there is any content', async () => {
  server = fastify();
  const quiet = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array> {
    await quiet.promise;
    yield CHUNK;
  }
  server.get('/', (_request, reply) => reply.send(liveResponse(reply, source()).getStream()));
  const answer = await fetch(await server.listen({ port: 0, host: '127.0.0.1' }));
  quiet.resolve();
  expect((await answer.arrayBuffer()).byteLength).toBe(CHUNK.length);
});
