import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { HealthModule } from '../../../src/composition/health.module.js';
import { Credentials } from '../../../src/http/auth-guard.js';
import { createHttpApp } from '../../../src/http/create-http-app.js';
import { AuthController } from '../../../src/identity/api/auth-controller.js';
import { AccountErasure } from '../../../src/identity/app/account-erasure.js';
import { Accounts } from '../../../src/identity/app/accounts.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const workers = {
  isRunning: true,
  isHealthy: true,
  poolSize: 8,
  activeWorkers: 3,
  unhealthyWorkers: 1,
  tasksProcessed: 10,
  tasksSuccessful: 7,
  tasksFailed: 3,
  averageTaskMs: 1.5,
};

@Module({
  imports: [
    HealthModule.forRoot({
      version: '1.2.3',
      probes: { database: async () => undefined, redis: async () => undefined },
      workers: async () => workers,
    }),
  ],
  controllers: [AuthController],
  providers: [
    { provide: Accounts, useValue: {} },
    { provide: AccountErasure, useValue: {} },
    { provide: Credentials, useValue: {} },
  ],
})
class DocsModule {}

describe('documents and health', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    const docs = { title: 'VoidRunner API', version: '1.2.3', description: 'Runs code' };
    app = await createHttpApp(DocsModule, { log: silentLog, docs });
    await app.init();
  });
  afterAll(() => app.close());

  test.each(['/docs/json', '/swagger.json'])('%s is the document of the routes', async (url) => {
    const document = (await app.inject(url)).json();
    expect(document.openapi).toMatch(/^3\./);
    expect(document.info).toMatchObject({ title: 'VoidRunner API', version: '1.2.3' });
    expect(Object.keys(document.paths).toSorted()).toEqual([
      '/api/v1/auth/login',
      '/api/v1/auth/logout',
      '/api/v1/auth/me',
      '/api/v1/auth/password',
      '/api/v1/auth/refresh',
      '/api/v1/auth/register',
      '/api/v1/ping',
      '/health',
      '/health/workers',
      '/ready',
    ]);
    const { post } = document.paths['/api/v1/auth/register'];
    expect(post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/RegisterRequest',
    });
    expect(post.responses['201'].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/AuthResponse',
    });
    expect(post.responses['409'].content).toHaveProperty('application/problem+json');
    expect(document.paths['/api/v1/auth/me'].get.security).toEqual([{ bearer: [] }]);
  });

  test('every reference of the document resolves', async () => {
    const text = (await app.inject('/swagger.json')).payload;
    const { components } = JSON.parse(text);
    const names = new Set([...text.matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)].map((match) => String(match[1])));
    expect([...names].filter((name) => !(name in components.schemas))).toEqual([]);
    expect(text).not.toContain('$schema');
    expect(components.schemas.RegisterRequest).toMatchObject({ additionalProperties: false });
    expect(components.schemas.RegisterRequest).not.toHaveProperty('id');
  });

  test.each([
    ['/docs', 'text/html'],
    ['/docs/', 'text/html'],
    ['/docs/init.js', 'text/javascript'],
    ['/docs/swagger-ui.css', 'text/css'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript'],
    ['/docs/favicon-32x32.png', 'image/png'],
    ['/api', 'application/json'],
    ['/api/v1/ping', 'application/json'],
  ])('%s is served', async (url, type) => {
    const response = await app.inject(url);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toContain(type);
    expect(response.payload.length).toBeGreaterThan(10);
  });

  test('the page runs only its own script files', async () => {
    const { payload, headers } = await app.inject('/docs');
    expect(payload).not.toMatch(/<script>|https?:\/\//);
    expect(headers['content-security-policy']).toContain("script-src 'self';");
  });

  test.each(['/health', '/api/v1/health'])('%s needs no token', async (url) => {
    expect((await app.inject(url)).json()).toEqual({
      status: 'ok',
      timestamp: expect.stringMatching(/Z$/),
      uptime: expect.any(String),
      version: '1.2.3',
      service: 'voidrunner-api',
    });
  });

  test('/ready names every check', async () => {
    const response = await app.inject('/ready');
    expect(response.statusCode).toBe(200);
    const checks = { server: 'ready', database: 'ready', redis: 'ready', nats: 'ready', executor: 'ready' };
    expect(response.json()).toMatchObject({ status: 'ready', checks: { ...checks, workers: 'ready' } });
  });

  test('/health/workers contains only totals, no names', async () => {
    expect((await app.inject('/health/workers')).json()).toEqual({
      status: 'healthy',
      timestamp: expect.any(String),
      worker_manager: { is_running: true, is_healthy: true },
      worker_pool: {
        pool_size: 8,
        active_workers: 3,
        idle_workers: 4,
        unhealthy_workers: 1,
        total_tasks_processed: 10,
        total_tasks_successful: 7,
        total_tasks_failed: 3,
        average_task_time: 1_500_000,
      },
      concurrency: { total_active_slots: 3, available_slots: 4 },
    });
  });
});
