import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { Body, Controller, Delete, Get, HttpCode, Module, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions } from 'fastify';
import { z } from 'zod';

import { Credentials, Public } from '../../src/http/auth-guard.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../src/http/body-parser.js';
import { createHttpApp, type HttpAppOptions } from '../../src/http/create-http-app.js';
import { MemoryRateLimiter } from '../../src/http/rate-limit/memory-rate-limiter.js';
import { byAddress, RateLimited } from '../../src/http/rate-limit/rate-limit-guard.js';
import { Caller, type CallerContext, type CallerIdentity } from '../../src/http/request-context.js';
import { BodyLimit, TakesBytes } from '../../src/http/route-options.js';
import { uuidParam } from '../../src/http/validation/params.js';
import { DomainError, Unavailable } from '../../src/kernel/errors.js';
import { silentLog } from '../../src/platform/telemetry/log.js';

const thingSchema = z.strictObject({
  name: z.string().min(1).max(5),
  priority: z.int().min(0).max(10).optional(),
  kind: z.enum(['a', 'b']).optional(),
  password: z.string().min(8).optional(),
  retry: z.strictObject({ max_attempts: z.int().max(10) }).optional(),
});
type Thing = z.output<typeof thingSchema>;
const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  q: z.string().optional(),
});

export const BYTES_MAX = 1_024;
export const SECRET = 'a line of SQL that nobody may see';

@Controller('things')
class ThingController {
  @Post()
  create(@Body({ schema: thingSchema }) thing: Thing): Thing {
    return thing;
  }

  @Post('large')
  @HttpCode(200)
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  large(@Body({ schema: z.strictObject({ text: z.string() }) }) body: { text: string }) {
    return { chars: body.text.length };
  }

  @Post('bytes')
  @TakesBytes(BYTES_MAX)
  bytes(@Req() { body }: FastifyRequest) {
    return { hex: body === undefined ? null : (body as Buffer).toString('hex') };
  }

  @Post('optional')
  optional(@Body({ schema: z.strictObject({ stdin: z.string() }).partial().optional() }) body: unknown) {
    return { body: body ?? null };
  }

  @Get()
  list(@Query({ schema: pageSchema }) page: z.output<typeof pageSchema>) {
    return page;
  }

  @Get('me')
  me(@Caller() caller: CallerContext) {
    return caller;
  }

  @Get('fails/:how')
  fails(@Param('how', { schema: z.string() }) how: string) {
    if (how === 'conflict') throw new DomainError('task_running', 'Task is running', 'conflict');
    if (how === 'precondition') throw new DomainError('etag', 'Changed since', 'precondition_failed');
    if (how === 'forbidden') throw new DomainError('access_denied', 'Access denied', 'forbidden');
    if (how === 'outage') throw new Unavailable('postgres', SECRET);
    throw new Error(SECRET);
  }

  @Get('tagged/:tag')
  tagged(@Param('tag', { schema: z.string() }) tag: string, @Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('etag', `"${tag}"`);
    return { tag };
  }

  @Get(':id')
  get(@Param('id', uuidParam('Invalid task ID format')) id: string) {
    return { id };
  }

  @Delete(':id')
  remove(@Param('id', uuidParam('Invalid task ID format')) id: string) {
    return { id };
  }
}

const byName = ({ body }: FastifyRequest) => (body as { name?: string } | undefined)?.name;

@Controller('open')
@Public()
class OpenController {
  @Post()
  @RateLimited({ category: 'login_account', keyOf: byName, needsBody: true })
  login() {
    return { open: true };
  }

  @Get('health')
  @RateLimited()
  health() {
    return { open: true };
  }

  @Post('counted')
  @RateLimited({ category: 'refresh_address', keyOf: byAddress })
  counted() {
    return { open: true };
  }

  @Get()
  @RateLimited({ category: 'register_address', keyOf: byAddress })
  open() {
    return { open: true };
  }
}

/** Requests with a token `held-…`: their authentication takes until the test ends it. */
class HeldAuthentication {
  private readonly waiting: (() => void)[] = [];

  get count(): number {
    return this.waiting.length;
  }

  hold(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  release(): void {
    for (const resume of this.waiting.splice(0)) resume();
  }
}

export const heldAuthentication = new HeldAuthentication();

class FakeTokens extends Credentials {
  looksLikeKey(text: string): boolean {
    return text.startsWith('vr_');
  }

  async verify(token: string): Promise<CallerIdentity> {
    if (token === 'away') throw new Unavailable('postgres', 'away');
    if (token === 'others') return { userId: 'u2', sessionId: 's2', isAdmin: false, key: null };
    if (token.startsWith('held-')) await heldAuthentication.hold();
    if (/^(user|held)-\d+$/.test(token)) return { userId: token, sessionId: token, isAdmin: false, key: null };
    if (token !== 'good') throw new DomainError('revoked', 'session revoked', 'unauthorized');
    return { userId: 'u1', sessionId: 's1', isAdmin: false, key: null };
  }
}

@Module({
  controllers: [ThingController, OpenController],
  providers: [{ provide: Credentials, useClass: FakeTokens }],
})
class ThingModule {}

const limits = {
  login_account: 10,
  login_everywhere: 100_000,
  login_address: 60,
  register_address: 2,
  refresh_address: 1,
  writes: 100_000,
  reads: 100_000,
};

const authorization = 'Bearer good';

/** The HTTP platform around two trivial controllers. Requests are authenticated by default. */
export class ThingApp {
  private constructor(private readonly app: NestFastifyApplication) {}

  static async start(
    options: Pick<HttpAppOptions, 'trustProxy' | 'slots' | 'largeBodies' | 'contentMsMax'> = {},
  ): Promise<ThingApp> {
    const app = await createHttpApp(ThingModule, {
      ...options,
      log: silentLog,
      rateLimiter: new MemoryRateLimiter(limits),
      corsAllowedOrigins: ['https://app.example'],
    });
    const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
    fastify.get('/raw', async () => ({ raw: true }));
    await app.init();
    return new ThingApp(app);
  }

  get(url: string, headers: Record<string, string> = {}) {
    return this.inject({ method: 'GET', url, headers: { authorization, ...headers } });
  }

  post(payload: unknown, headers: Record<string, string> = {}, url = '/things') {
    return this.inject({
      method: 'POST',
      url,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    });
  }

  get server(): Server {
    return this.app.getHttpServer() as Server;
  }

  /** For tests that need a real connection. @returns the port */
  async listen(): Promise<number> {
    await this.app.listen(0, '127.0.0.1');
    return (this.server.address() as AddressInfo).port;
  }

  /** Open ones. */
  connections(): Promise<number> {
    return promisify(this.server.getConnections.bind(this.server))();
  }

  /** Sends the request unchanged, without credentials. */
  inject(request: InjectOptions) {
    return this.app.inject(request);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
