import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Reply = (response: ServerResponse, received: Received) => unknown;

/** A server that behaves as badly as a test needs. Each route has its replies in order; the last one is repeated. */
export class ScriptedServer {
  readonly received: Received[] = [];
  private readonly replies = new Map<string, Reply[]>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedServer> {
    const server = createServer();
    const scripted = new ScriptedServer(server);
    server.on('request', (request, response) => void scripted.handle(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param route such as `GET /api/v1/tasks`, without the query */
  on(route: string, ...replies: Reply[]): this {
    this.replies.set(route, replies);
    return this;
  }

  /** The requests of a route. */
  of(route: string): Received[] {
    return this.received.filter(({ method, url }) => `${method} ${url.split('?', 1)[0]}` === route);
  }

  forget(): void {
    this.received.length = 0;
    this.replies.clear();
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const received = { method, url, headers, body: (await buffer(request)).toString() };
    this.received.push(received);
    const replies = this.replies.get(`${method} ${url.split('?', 1)[0]}`) ?? [problem(404, 'no_reply')];
    const reply = replies.length > 1 ? replies.shift()! : replies[0]!;
    await reply(response, received);
  }
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** An error as the API sends it. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}, more: object = {}): Reply =>
  json(
    status,
    {
      ...{ type: `urn:voidrunner:problem:${code}`, title: 'Problem', status, detail: `It is ${code}`, instance: '/' },
      ...{ request_id: 'request-1', error: code, ...more },
    },
    { 'content-type': 'application/problem+json; charset=utf-8', ...headers },
  );

export const text =
  (status: number, body: string, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);

export const empty: Reply = (response) => response.writeHead(204).end();

/** 200 and no content. */
export const noBytes: Reply = (response) => response.writeHead(200, { 'content-length': '0' }).end();

/** The connection is reset before the response. */
export const reset: Reply = (response) => response.socket!.resetAndDestroy();

/** Nothing ever comes. */
export const silence: Reply = () => undefined;

/** The head and these parts, and then the connection breaks. */
export const broken =
  (contentType: string, ...parts: readonly (string | Uint8Array)[]): Reply =>
  async (response) => {
    response.writeHead(200, { 'content-type': contentType });
    await write(response, parts);
    response.socket!.resetAndDestroy();
  };

export const complete =
  (contentType: string, ...parts: readonly (string | Uint8Array)[]): Reply =>
  async (response) => {
    response.writeHead(200, { 'content-type': contentType });
    await write(response, parts);
    response.end();
  };

/** The head and these parts; the response stays open. */
export const open =
  (contentType: string, ...parts: readonly (string | Uint8Array)[]): Reply =>
  async (response) => {
    response.writeHead(200, { 'content-type': contentType });
    await write(response, parts);
  };

/** Each part reaches the client before the next one, or before the connection breaks: parts are sent one by one. */
async function write(response: ServerResponse, parts: readonly (string | Uint8Array)[]): Promise<void> {
  response.flushHeaders();
  for (const part of parts) await new Promise((resolve) => response.write(part, resolve));
}
