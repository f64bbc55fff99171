import type { Answer } from '../../../../support/api-client.js';
import { eventually } from '../../../../support/eventually.js';
import type { Api } from '../api.js';
import type { Route } from '../contract.js';
import { documentRefuses } from './document-refuses.js';
import { promisedBy } from './promises.js';
import type { FuzzRequest } from './requests.js';
import { answerTo, fillIn, type SentRequest } from './sent-request.js';
import { Things } from './things.js';

/** More than one request creates. */
const EVENTS_MAX = 100;

/** How often an operation responded with which status. */
interface Tally {
  requests: number;
  done: number;
  refused: number;
}

/** Sends requests one after the other, and checks each response against the document and the log. */
export class Walk {
  readonly tallies = new Map<string, Tally>();

  private constructor(
    private readonly api: Api,
    private readonly things: Things,
  ) {}

  static async of(api: Api): Promise<Walk> {
    return new Walk(api, await Things.of(api));
  }

  /** @throws if the response does not match the document and the log */
  async send(route: Route, request: FuzzRequest): Promise<void> {
    const sent = await fillIn(route, request, this.things);
    const before = await this.look(route, sent);
    const head = await this.api.head();
    const answer = await this.answerTo(route, sent);
    if (documentRefuses(this.api.contract, route, sent)) expect(answer.status).toBeGreaterThanOrEqual(400);

    const promised = await promisedBy(route.operation.operationId!, { sent, answer, before, things: this.things });
    const events = await this.recordedAfter(head, promised.length);
    expect(events).toMatchObject(promised);
    const requestId = answer.headers.get('x-request-id');
    expect(events.map(({ metadata }) => metadata.request_id)).toEqual(promised.map(() => requestId));

    const isDone = answer.status < 300;
    if (isDone) await this.repeat(route, sent, answer);
    if (events.length > 0 || (isDone && route.method !== 'GET')) this.things.renew();
  }

  private async answerTo(route: Route, sent: SentRequest): Promise<Answer<any>> {
    const answer = await answerTo(this.api.service.url, route.method, sent);
    this.count(route.operation.operationId!, answer.status);
    expect([answer.status, answer.status < 500 ? 'fine' : answer.body]).toEqual([answer.status, 'fine']);
    this.api.contract.check(route.method, route.path, answer);
    return answer;
  }

  /** An idempotent request does nothing the second time: a PUT (RFC 9110, section 9.2.2), or a POST with a key. */
  private async repeat({ method, path, operation }: Route, sent: SentRequest, answer: Answer<any>): Promise<void> {
    const takesKey = operation.parameters!.some(({ name }) => name === 'Idempotency-Key');
    const underKey = takesKey && sent.headers['idempotency-key'] !== undefined;
    if (method !== 'PUT' && !underKey) return;
    const head = await this.api.head();
    const again = await this.answerTo({ method, path, operation }, sent);
    if (underKey) {
      expect([again.status, again.body]).toEqual([answer.status, answer.body]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
    expect(await this.recordedAfter(head, 0)).toEqual([]);
  }

  /** The object at the path of a request that may change it. */
  private async look({ method, path }: Route, sent: SentRequest): Promise<Answer<any> | undefined> {
    if (method === 'GET') return undefined;
    const readable = this.api.contract.routes.some((each) => each.method === 'GET' && each.path === path);
    if (!readable) return undefined;
    const headers = { authorization: `Bearer ${this.things.admin.token}` };
    return answerTo(this.api.service.url, 'GET', { ...sent, query: '', headers, body: undefined });
  }

  /** @param expected some events are recorded only after the response */
  private async recordedAfter(head: bigint, expected: number) {
    const { store } = this.api.service.processes[0]!.infra;
    await eventually(async () => expect(Number((await store.head()).position - head)).toBeGreaterThanOrEqual(expected));
    await this.api.head();
    return store.readAll(head, EVENTS_MAX);
  }

  private count(operationId: string, status: number): void {
    const tally = this.tallies.get(operationId) ?? { requests: 0, done: 0, refused: 0 };
    tally.requests += 1;
    if (status < 300) tally.done += 1;
    else if (status >= 400 && status < 500) tally.refused += 1;
    this.tallies.set(operationId, tally);
  }
}
