import { readFile } from 'node:fs/promises';

import { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { lintMetrics, type MetricFamily, parsePrometheusText } from '../support/prometheus-text.js';
import { prepareTestService, type TestService } from '../support/service.js';

let service: TestService;
let port: number;

beforeAll(async () => {
  service = await prepareTestService();
  port = await freePort();
  await service.start({ METRICS_PORT: String(port), FACADES: 'judge0' });
});

afterAll(() => service.close());

test('metrics are served on their own port, and not on the public one', async () => {
  await eventually(async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(/^voidrunner_queue_jobs\{state="waiting".*\} 0$/m);
    expect(text).toMatch(/^voidrunner_workers.* 1$/m);
    expect(text).toMatch(/^voidrunner_runtime_workers\{runtime="python".*\} 1$/m);
    expect(text).toMatch(/^voidrunner_cells\{state="ready".*\} 0$/m);
    expect(text).toMatch(/^voidrunner_cold_starts_total.* 0$/m);
    for (const subscription of ['projector', 'orchestrator', 'dead_letters']) {
      expect(text).toMatch(new RegExp(`^voidrunner_subscription_lag\\{subscription="${subscription}".*\\} 0$`, 'm'));
    }
  });
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
});

const scrape = async (): Promise<MetricFamily[]> =>
  parsePrometheusText(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());

const samplesOf = (families: readonly MetricFamily[], name: string) =>
  families.flatMap(({ samples }) => samples).filter((sample) => sample.name === name);

test('the metrics of executions and requests pass promtool', async () => {
  const client = await ApiClient.register(() => service.url);
  const task = { script_type: 'bash', script_content: 'exit 3' } as const;
  await client.run(task);
  for (const path of ['/nowhere/1', '/nowhere/2', '/judge0/submissions/1']) await fetch(service.url + path);
  const families = await scrape();
  expect(lintMetrics(families)).toEqual([]);

  const [info] = samplesOf(families, 'target_info');
  expect(info!.labels).toMatchObject({
    service_name: 'voidrunner',
    service_version: expect.stringMatching(/^\d/) as string,
  });
  expect(info!.labels['service_instance_id']).toMatch(/:\d+$/);

  const requests = samplesOf(families, 'voidrunner_http_request_duration_seconds_count');
  const count = (method: string, route: string, status: string): number =>
    requests.find(
      ({ labels }) => labels['method'] === method && labels['route'] === route && labels['status'] === status,
    )?.value ?? 0;
  expect(count('POST', '/api/v1/auth/register', '201')).toBe(1);
  expect(
    count('POST', '/api/v1/tasks/:id/executions', '201') + count('POST', '/api/v1/tasks/:id/executions', '202'),
  ).toBe(1);
  expect(count('GET', '/api/v1/executions/:id', '200')).toBeGreaterThan(0);
  expect(count('GET', '/judge0/submissions/:token', '401')).toBe(1);
  // All of them at once: an earlier test has requested one alone.
  expect(count('GET', 'unmatched', '404')).toBeGreaterThanOrEqual(2);
  expect(requests.map(({ labels }) => labels['route'])).not.toContainEqual(
    expect.stringMatching(/nowhere|[0-9a-f]{8}-/),
  );

  const runs = samplesOf(families, 'voidrunner_run_duration_seconds_count');
  expect(runs.map(({ labels, value }) => [labels['script_type'], labels['outcome'], value])).toEqual([
    ['bash', 'exit_code', 1],
  ]);
  expect(samplesOf(families, 'voidrunner_queue_wait_seconds_count').map(({ value }) => value)).toEqual([1]);
  expect(samplesOf(families, 'voidrunner_queue_oldest_waiting_seconds')).toHaveLength(1);
});

test('docs/operations.md lists exactly the existing metrics', async () => {
  const names = (await scrape()).map(({ name }) => name).filter((name) => name.startsWith('voidrunner_'));
  const documented = (await readFile('docs/operations.md', 'utf8')).match(/^\| `voidrunner_\w+`/gm) ?? [];
  // These two begin with the first error, and with the first attempt at a webhook.
  const late = ['voidrunner_http_request_errors_total', 'voidrunner_webhook_attempt_duration_seconds'];
  const expected = new Set([...names, ...late]);
  expect(documented.map((row) => row.slice(3, -1)).toSorted()).toEqual([...expected].toSorted());
});

test('a compiled program is found by the second run of its source', async () => {
  const client = await ApiClient.register(() => service.url);
  const task = { script_type: 'go', script_content: 'package main\nfunc main() { println("hi") }' } as const;
  const before = await service.database.appPool.query('select key from es.compiled_programs');
  expect(await client.run(task)).toMatchObject({ stderr: 'hi\n' });
  await eventually(async () => {
    const { rows } = await service.database.appPool.query('select key from es.compiled_programs');
    expect(rows).toHaveLength(before.rows.length + 1);
  });
  expect(await client.run(task)).toMatchObject({ stderr: 'hi\n' });
  const programs = samplesOf(await scrape(), 'voidrunner_compiled_programs_total');
  expect(programs.map(({ labels, value }) => [labels['cache'], value])).toEqual([
    ['hit', 1],
    ['miss', 1],
  ]);
});

test('a scrape may have parameters; HEAD has no body; other methods get a 405 with Allow', async () => {
  const at = (path: string, method: string) => fetch(`http://127.0.0.1:${port}${path}`, { method });
  const answer = await at('/metrics?module=x&module=y', 'GET');
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('voidrunner_log_position')]);
  for (const path of ['/metrics', '/metrics?module=x', '/ready?verbose']) {
    const head = await at(path, 'HEAD');
    expect([path, head.status, await head.text()]).toEqual([path, 200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const refused = await at(path, method);
      expect([path, method, refused.status, refused.headers.get('allow')]).toEqual([path, method, 405, 'GET, HEAD']);
    }
  }
  for (const path of ['/metrics/', '/metric', '/constructor', '/__proto__']) {
    for (const method of ['GET', 'HEAD', 'POST']) expect([path, (await at(path, method)).status]).toEqual([path, 404]);
  }
});

const readiness = async (operatorPort: number) => {
  const answer = await fetch(`http://127.0.0.1:${operatorPort}/ready`);
  return { status: answer.status, body: (await answer.json()) as { status: string; checks: Record<string, string> } };
};

test('a process without the API reports there whether its roles can work', async () => {
  for (const settings of [
    { VOIDRUNNER_ROLES: 'worker' },
    { VOIDRUNNER_ROLES: 'relay', DOCKER_ENDPOINT: 'unix:///nowhere/docker.sock' },
  ]) {
    const own = await freePort();
    await service.start({ ...settings, METRICS_PORT: String(own) });
    await eventually(async () => expect(await readiness(own)).toMatchObject({ status: 200 }));
  }
});

test('a worker whose own engine is unavailable is not ready, even if other engines are up', async () => {
  const lonely = await freePort();
  await service.start({
    VOIDRUNNER_ROLES: 'worker',
    METRICS_PORT: String(lonely),
    DOCKER_ENDPOINT: 'unix:///nowhere/docker.sock',
  });
  // Redis is connected in the background.
  await eventually(async () =>
    expect(await readiness(lonely)).toMatchObject({
      status: 503,
      body: { status: 'not ready', checks: { database: 'ready', redis: 'ready', executor: 'not ready' } },
    }),
  );
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});

test('no other path is served', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/tasks'],
  ] as const) {
    expect((await fetch(`http://127.0.0.1:${port}${path}`, { method })).status).toBe(404);
  }
});
