import { once } from 'node:events';
import { request } from 'node:http';

import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { Credentials, Public } from '../../../src/http/auth-guard.js';
import { closeHttpApp, createHttpApp } from '../../../src/http/create-http-app.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { answerToBytes } from '../../support/raw-http.js';

let release: () => void = () => undefined;
let entered: () => void = () => undefined;

@Controller('slow')
@Public()
class SlowController {
  @Get()
  async slow() {
    entered();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return { slow: true };
  }
}

@Module({ controllers: [SlowController], providers: [{ provide: Credentials, useValue: {} }] })
class SlowModule {}

async function start(): Promise<{ app: NestFastifyApplication; port: number }> {
  const app = await createHttpApp(SlowModule, { log: silentLog });
  await app.listen(0, '127.0.0.1');
  return { app, port: (app.getHttpServer().address() as { port: number }).port };
}

const enteredOnce = () =>
  new Promise<void>((resolve) => {
    entered = resolve;
  });

test.each([
  ['a request that is not HTTP', 'hello\r\n\r\n', 400],
  ['headers of more than 16 KiB', `GET /slow HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
])('%s gets a problem response', async (_what, bytes, status) => {
  const { app, port } = await start();
  try {
    const answer = await answerToBytes(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    const body = JSON.parse(answer.slice(answer.indexOf('{')));
    expect(body).toMatchObject({ status, request_id: expect.any(String) });
  } finally {
    await closeHttpApp(app, 1_000);
  }
});

test('closing waits for an open request', async () => {
  const { app, port } = await start();
  const inHandler = enteredOnce();
  const answered = fetch(`http://127.0.0.1:${port}/slow`);
  await inHandler;
  const closed = closeHttpApp(app, 10_000);
  release();
  expect(await (await answered).json()).toEqual({ slow: true });
  await closed;
});

test('closing cuts off a request that takes too long', async () => {
  const { app, port } = await start();
  const inHandler = enteredOnce();
  const outgoing = request({ port, path: '/slow' }).end();
  const failed = once(outgoing, 'error');
  await inHandler;
  await closeHttpApp(app, 50);
  expect(await failed).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
});
