import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ContainerLife } from '../../../src/sandbox/container-life.js';
import { connectEngine } from '../../../src/sandbox/engine.js';

const HEAD = 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';

/** An engine that takes every byte after the head of the request for input of the container, as a proxy may cause. */
const engine = createServer();
let folder: string;
let container: ContainerLife;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'));
  engine.listen(join(folder, 'docker.sock'));
  await once(engine, 'listening');
  container = new ContainerLife(connectEngine(`unix://${folder}/docker.sock`), 'cell-1');
});
afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

test('the request has no body that could become input of the container', async () => {
  const upgrade = once(engine, 'upgrade') as Promise<[IncomingMessage, Socket, Buffer]>;
  const attached = container.attach();
  const [request, server, afterHead] = await upgrade;
  expect(request.url).toBe('/containers/cell-1/attach?stream=true&stdin=true&stdout=true&stderr=true');
  expect(request.headers).toMatchObject({ connection: 'Upgrade', upgrade: 'tcp', 'content-length': '0' });
  expect(request.headers['transfer-encoding']).toBeUndefined();
  expect(afterHead.toString()).toBe('');

  server.write(`${HEAD}output`);
  const client = await attached;
  expect(String((await once(client, 'data'))[0])).toBe('output');
  client.write('input');
  expect(String((await once(server, 'data'))[0])).toBe('input');
  client.destroy();
  server.destroy();
});

test('a refusal rejects with the engine’s status', async () => {
  const upgrade = once(engine, 'upgrade') as Promise<[IncomingMessage, Socket, Buffer]>;
  const attached = container.attach();
  const [, server] = await upgrade;
  server.end('HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
  await expect(attached).rejects.toMatchObject({ statusCode: 404 });
});
