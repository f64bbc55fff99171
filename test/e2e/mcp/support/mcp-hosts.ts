import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

import { SCOPES } from '../../../../src/http/scopes.js';
import { Api, type Person } from '../../api/support/api.js';

export type TransportName = 'stdio' | 'http';
export const TRANSPORTS: readonly TransportName[] = ['stdio', 'http'];

/** A service with an account, and clients of its MCP server as hosts connect them. */
export class McpHosts {
  private readonly clients: Client[] = [];

  private constructor(
    readonly api: Api,
    readonly ada: Person,
  ) {}

  static async start(settings: NodeJS.ProcessEnv = {}): Promise<McpHosts> {
    const api = await Api.start(settings);
    return new McpHosts(api, await api.register());
  }

  get url(): string {
    return this.api.service.url;
  }

  async key(scopes: readonly string[] = SCOPES): Promise<string> {
    return (await this.ada.ok('POST', '/keys', { name: 'a model', scopes })).key as string;
  }

  /** Connected. */
  async client(name: TransportName, key: string, url = this.url): Promise<Client> {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(name === 'stdio' ? stdioTransport(url, key) : httpTransport(url, key));
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.clients) await client.close();
    await this.api.close();
  }
}

function stdioTransport(url: string, key: string): StdioClientTransport {
  const env = { ...process.env, NODE_OPTIONS: '', VOIDRUNNER_URL: url, VOIDRUNNER_API_KEY: key };
  return new StdioClientTransport({
    command: process.execPath,
    args: ['dist/cli.js', 'mcp'],
    env: env as Record<string, string>,
    stderr: 'ignore',
  });
}

export const httpTransport = (url: string, key: string, headers: Record<string, string> = {}) =>
  // The SDK's own types differ where a property may be undefined.
  new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}`, ...headers } },
  }) as StreamableHTTPClientTransport & { sessionId: string };

export async function call(client: Client, name: string, args: Record<string, unknown>): Promise<CallToolResult> {
  return (await client.callTool({ name, arguments: args })) as CallToolResult;
}

/** The text of the first content. */
export function textOf({ content: [first] }: CallToolResult): string {
  if (first?.type !== 'text') throw new Error(`no text first: ${JSON.stringify(first)}`);
  return first.text;
}

/** A POST without a client. @param body a string is sent unchanged */
export const post = (url: string, body: unknown, headers: Record<string, string>): Promise<Response> =>
  fetch(`${url}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
