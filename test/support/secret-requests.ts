import { call } from './api-client.js';
import { eventually } from './eventually.js';
import type { PlantedSecrets, Schema } from './planted-secrets.js';
import type { PrivatePostgres } from './private-postgres.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A client chooses its request id to find the request again: in the log, and in the events it caused. */
export const REQUEST_ID = 'X-Request-ID';

/** Sends a planted secret in every field of every operation of the API. */
export class SecretRequests {
  readonly called = new Set<string>();
  readonly statuses = new Map<number, number>();

  constructor(
    private readonly secrets: PlantedSecrets,
    private readonly options: { url: string; document: ApiDocument; postgres: PrivatePostgres },
  ) {}

  /** A request with a secret in every place outside the body. */
  private async send(
    operationId: string,
    path: string,
    body?: unknown,
    { method = this.methodOf(operationId), token = '', type }: { method?: string; token?: string; type?: string } = {},
  ): Promise<Record<string, any>> {
    const header = (name: string): string => this.secrets.plant(`${operationId} ${name}`);
    const query = path.includes('?') ? '' : `?${header('query')}=${header('query value')}`;
    const answer = await call<Record<string, any>>(`${this.options.url}${path}`, method, body, {
      ...(type && { 'content-type': type }),
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(method === 'POST' && { 'idempotency-key': header('Idempotency-Key') }),
      'x-request-id': this.secrets.plant(`${operationId} ${REQUEST_ID}`),
      'user-agent': header('User-Agent'),
      'x-hub-signature-256': header('X-Hub-Signature-256'),
      'x-forwarded-for': header('X-Forwarded-For'),
      'x-forwarded-host': header('X-Forwarded-Host'),
      forwarded: `for=${header('Forwarded')}`,
      cookie: `session=${header('Cookie')}`,
      referer: `https://example.com/?${header('Referer')}`,
      tracestate: `vendor=${header('tracestate')}`,
      baggage: `key=${header('baggage')}`,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    this.called.add(operationId);
    this.count(answer.status);
    // The same with an unknown query parameter: a 400 that quotes it.
    if (query !== '') {
      await fetch(`${this.options.url}${path}${query}`, { method, headers: { authorization: `Bearer ${token}` } });
    }
    return answer.body;
  }

  private count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  operations(): { method: string; path: string; operation: Operation }[] {
    return Object.entries(this.options.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  private methodOf(operationId: string): string {
    return this.operations().find(({ operation }) => operation.operationId === operationId)!.method;
  }

  private bodyOf(operationId: string): Record<string, any> {
    const { operation } = this.operations().find((found) => found.operation.operationId === operationId)!;
    const schema = operation.requestBody?.content['application/json']?.schema ?? {};
    return this.secrets.valueOf(schema, this.options.document.components.schemas, operationId) as Record<string, any>;
  }

  /** A task that reads its input and prints some of it. */
  private taskBody(operationId: string): Record<string, any> {
    const { tests: _tests, judge: _judge, webhook, ...body } = this.bodyOf(operationId);
    const script = `cat; cat *.txt; echo "$1"; env; echo ${this.secrets.plant('stdout')}; echo ${this.secrets.plant('stderr')} >&2; exit 3`;
    return {
      ...body,
      script_type: 'bash',
      script_content: `# ${body['script_content']}\n${script}`,
      retry: { max_attempts: 1, initial_delay_ms: 0, backoff_factor: 1, max_delay_ms: 0, retry_on: ['exit_code'] },
      limits: { memory_mb: 64, cpus: 1, pids: 32 },
      timeout_seconds: 30,
      ...(webhook !== undefined && { webhook: this.webhookOf() }),
      ...(body['input'] !== undefined && { input: this.inputOf(body['input']) }),
    };
  }

  /** Of one execution: a host that does not exist. */
  private webhookOf(): Record<string, any> {
    const secret = `whsec_${Buffer.from(this.secrets.plant('webhook.secret')).toString('base64')}`;
    this.secrets.add(secret, 'the secret of an execution’s webhook');
    return { url: `https://hooks.invalid/${this.secrets.plant('webhook.url of an execution')}`, secret };
  }

  /** Tests of a program that prints its input, and a checker that prints what it compares. */
  private testsOf({ tests, judge }: Record<string, any>): Record<string, any> {
    const [{ limits: _limits, timeout_seconds: _timeout, files, ...test }] = tests;
    const check = `# ${judge.checker.script_content}\ncat input expected output; exit 1`;
    return {
      tests: [{ ...test, files: [{ ...files[0], path: `${files[0].path}.txt`, encoding: 'utf8' }] }],
      judge: { compare: 'checker', checker: { script_type: 'bash', script_content: check }, stop_on: 'never' },
    };
  }

  /** Everything that the schema allows for one execution. */
  private inputOf(input: Record<string, any>): Record<string, any> {
    const { stdin, args, env, files } = input;
    const content = this.secrets.plant('input.files.content');
    return { stdin, args, env, files: [{ ...files[0], path: `${files[0].path}.txt`, content, encoding: 'utf8' }] };
  }

  private async register(): Promise<{ token: string; refresh: string; email: string; password: string }> {
    const body = this.bodyOf('register');
    const account = { ...body, email: `${body['email']}@example.com`, password: `${body['password']} a` };
    // Two at a time, so that one of them is a conflict.
    const [one, other] = await Promise.all([1, 2].map(() => this.send('register', '/api/v1/auth/register', account)));
    const granted = one!['access_token'] === undefined ? other! : one!;
    return { ...this.remember(granted), email: account.email, password: account.password };
  }

  private remember(granted: Record<string, any>): { token: string; refresh: string } {
    const { access_token: token, refresh_token: refresh } = granted as Record<string, string>;
    // All tokens have the same header, and the payload contains only ids.
    for (const [name, value] of Object.entries({ token, refresh })) {
      this.secrets.add(value!.split('.')[2]!, `the ${name} token`);
      this.secrets.add(value!, `the whole ${name} token`);
    }
    return { token: token!, refresh: refresh! };
  }

  async sendEverything(): Promise<void> {
    const { token: first, refresh, email, password } = await this.register();
    await this.send('login', '/api/v1/auth/login', {
      email,
      password: `${this.secrets.plant('login.password')} wrong`,
    });
    this.remember(await this.send('login', '/api/v1/auth/login', { email, password }));
    const { token } = this.remember(await this.send('refresh', '/api/v1/auth/refresh', { refresh_token: refresh }));
    await this.send('refresh', '/api/v1/auth/refresh', { refresh_token: `${refresh}x` });
    const as = { token };
    await this.send('me', '/api/v1/auth/me', undefined, as);
    await this.sendKey(as);
    await this.sendWebhook(as);

    const task = await this.send('createTask', '/api/v1/tasks', this.taskBody('createTask'), as);
    const path = `/api/v1/tasks/${task['id']}`;
    await this.send('updateTask', path, this.taskBody('updateTask'), as);
    const given = { input: this.inputOf(this.bodyOf('startExecution')['input'] as Record<string, any>) };
    const run = await this.send('startExecution', `${path}/executions?wait=60`, given, as);
    expect(run).toMatchObject({ status: 'failed', dead_lettered: true });
    expect(this.secrets.foundIn(JSON.stringify(run))).toEqual(expect.arrayContaining(['stdout', 'stderr']));
    const own = this.testsOf(this.bodyOf('startExecution'));
    const judged = await this.send('startExecution', `${path}/executions?wait=60`, own, as);
    expect(judged).toMatchObject({ status: 'completed', verdict: 'runtime_error' });
    const createTests = {
      ...this.taskBody('createTask'),
      script_content: 'cat',
      ...this.testsOf(this.bodyOf('createTask')),
    };
    const suite = await this.send('createTask', '/api/v1/tasks', createTests, as);
    const changed = this.testsOf(this.bodyOf('updateTask'));
    await this.send('updateTask', `/api/v1/tasks/${suite['id']}`, changed, as);
    const checked = await this.send('startExecution', `/api/v1/tasks/${suite['id']}/executions?wait=60`, {}, as);
    expect(checked).toMatchObject({ status: 'completed', verdict: 'wrong_answer' });
    const once = await this.send('runOnce', '/api/v1/executions?wait=60', this.taskBody('runOnce'), as);
    await eventually(async () =>
      expect((await this.get(`/api/v1/dead-letters/${once['id']}`, token)).status).toBe(200),
    );

    await this.sendInput(as);
    const external = await this.send('startExecution', `${path}/executions`, { executor: 'external' }, as);
    await this.send('reportExecution', `/api/v1/executions/${external['id']}`, this.bodyOf('reportExecution'), as);
    const report = {
      status: 'failed',
      return_code: 1,
      stdout: this.secrets.plant('report.stdout'),
      stderr: this.secrets.plant('report.stderr'),
    };
    await this.send('reportExecution', `/api/v1/executions/${external['id']}`, report, as);
    const executions = `/api/v1/executions/${run['id']}`;
    await this.send('executionOutput', `${executions}/output/stdout?follow=true`, undefined, as);
    await this.send('redriveDeadLetter', `/api/v1/dead-letters/${run['id']}/redrive`, undefined, as);
    await this.send('cancelExecution', executions, undefined, { ...as, method: 'DELETE' });
    await this.send('discardDeadLetter', `/api/v1/dead-letters/${once['id']}`, undefined, { ...as, method: 'DELETE' });
    await this.sendTheRest({ task: task['id'] as string, execution: run['id'] as string }, token);
    // Another user: the request may end a session.
    await this.sendBroken((await this.register()).token);
    await this.sendDuringOutage(token);
    await this.send('logout', '/api/v1/auth/logout', {}, { token: first });
  }

  /** A key where it belongs, and where it does not. */
  private async sendKey(as: { token: string }): Promise<void> {
    const { expires_at: _, ...body } = this.bodyOf('createKey');
    const { id, key } = await this.send('createKey', '/api/v1/keys', body, as);
    this.secrets.add(key as string, 'the API key');
    await this.send('listTasks', '/api/v1/tasks', undefined, { token: key as string });
    await this.send('createTask', '/api/v1/tasks', this.taskBody('createTask'), { token: key as string });
    await this.get(`/api/v1/tasks?api_key=${key as string}`, as.token);
    await this.get(`/api/v1/tasks/${key as string}`, as.token);
    await this.send('revokeKey', `/api/v1/keys/${id as string}`, undefined, { ...as, method: 'DELETE' });
    await this.send('listTasks', '/api/v1/tasks', undefined, { token: key as string });
  }

  /** To a host that does not exist, and to an address that is refused. */
  private async sendWebhook(as: { token: string }): Promise<void> {
    const url = `https://hooks.invalid/${this.secrets.plant('webhook.url')}`;
    const description = this.secrets.plant('webhook.description');
    const { id, secret } = await this.send('createWebhook', '/api/v1/webhooks', { url, description }, as);
    this.secrets.add(secret as string, 'the secret of the webhook');
    const path = `/api/v1/webhooks/${id as string}`;
    const refused = `http://10.0.0.1/${this.secrets.plant('webhook.refused url')}`;
    await this.send('createWebhook', '/api/v1/webhooks', { url: refused }, as);
    await this.send('updateWebhook', path, { url: `${url}/${this.secrets.plant('webhook.other url')}` }, as);
    const rotated = await this.send('rotateWebhookSecret', `${path}/rotate-secret`, undefined, as);
    this.secrets.add(rotated['secret'] as string, 'the new secret of the webhook');
    await this.send('testWebhook', `${path}/test`, undefined, as);
    await eventually(async () => {
      const { body } = await call<{ deliveries: object[] }>(`${this.options.url}${path}/deliveries`, 'GET', undefined, {
        authorization: `Bearer ${as.token}`,
      });
      expect(body.deliveries).toContainEqual(expect.objectContaining({ failure: 'dns' }));
    });
  }

  /** To a program that drops it, and once more, too late. */
  private async sendInput(as: { token: string }): Promise<void> {
    const script_content = 'cat >/dev/null';
    const body = { name: 'talk', script_type: 'bash', script_content, input: { interactive: true } };
    const { id } = await this.send('runOnce', '/api/v1/executions', body, as);
    const path = `/api/v1/executions/${id as string}/stdin?eof=true`;
    const text = { ...as, type: 'text/plain' };
    await eventually(async () => {
      const sent = await this.send('sendStdin', path, this.secrets.plant('sendStdin'), text);
      expect(sent).toMatchObject({ closed: true });
    });
    await this.send('sendStdin', path, this.secrets.plant('sendStdin again'), text);
  }

  private get(path: string, token: string) {
    return call(`${this.options.url}${path}`, 'GET', undefined, { authorization: `Bearer ${token}` });
  }

  /** Every operation not sent so far, including new ones: with a body generated from its schema, if it has one. */
  private async sendTheRest(ids: { task: string; execution: string }, token: string): Promise<void> {
    for (const { method, path, operation } of this.operations()) {
      const { operationId } = operation;
      if (this.called.has(operationId) || operationId === 'logout') continue;
      const id = path.includes('/tasks/') ? ids.task : ids.execution;
      const filled = path.replace('{id}', id).replace(/\{\w+\}/, 'stdout');
      const body = operation.requestBody ? this.bodyOf(operationId) : undefined;
      await this.send(operationId, filled, body, { method, token });
    }
  }

  /** Secrets in unexpected places: in paths, ids, queries, invalid JSON and unknown members. */
  private async sendBroken(token: string): Promise<void> {
    const at = async (path: string, init: RequestInit = {}): Promise<void> => {
      const headers = { authorization: `Bearer ${token}`, ...init.headers };
      this.count((await fetch(`${this.options.url}${path}`, { ...init, headers })).status);
    };
    const json = { 'content-type': 'application/json' };
    for (const { method, path, operation } of this.operations()) {
      const plant = (what: string): string => this.secrets.plant(`${operation.operationId} broken ${what}`);
      await at(
        path.replace(/\{\w+\}/g, () => plant('path')),
        { method },
      );
      const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
      for (const { name } of query) await at(`${path.replace(/\{\w+\}/g, '1')}?${name}=${plant(name)}`, { method });
      if (!operation.requestBody) continue;
      const url = path.replace(/\{\w+\}/g, 'stdout');
      await at(url, { method, headers: json, body: `{"a": ${plant('json')}` });
      await at(url, { method, headers: json, body: JSON.stringify({ [plant('member')]: plant('value') }) });
    }
    await at(`/${this.secrets.plant('unknown path')}?${this.secrets.plant('unknown query')}`);
    await at('/api/v1/auth/me', { headers: { authorization: `Bearer ${this.secrets.plant('a token that is none')}` } });
    await at('/api/v1/auth/me', { headers: { authorization: `Basic ${this.secrets.plant('other credentials')}` } });
  }

  /** Errors of a Postgres that disconnects during a statement, and of one that is unavailable. */
  private async sendDuringOutage(token: string): Promise<void> {
    const account = (): unknown => {
      const [email, password, name] = ['email', 'password', 'name'].map((field) =>
        this.secrets.plant(`outage ${field}`),
      );
      return { email: `${email}@example.com`, password, name };
    };
    const requests = [1, 2, 3, 4].map(() => this.send('register', '/api/v1/auth/register', account()));
    await this.options.postgres.stop();
    await Promise.all(requests);
    await this.send('register', '/api/v1/auth/register', account());
    await this.send('createTask', '/api/v1/tasks', this.taskBody('createTask'), { token });
    await this.options.postgres.resume();
    await eventually(async () => expect((await this.get('/api/v1/auth/me', token)).status).toBe(200), {
      timeoutMs: 30_000,
    });
  }
}
