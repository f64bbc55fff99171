import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  type ProgressToken,
  ReadResourceRequestSchema,
  type ServerNotification,
} from '@modelcontextprotocol/sdk/types.js';
import type { VoidRunner } from '@voidrunner/client';

import { ignoreErrors } from '../platform/async/ignore-errors.js';
import { readFileResource } from './file-resource.js';
import { FILE_URI_TEMPLATE } from './file-uri.js';
import { Progress } from './progress.js';
import { describeTool } from './tool.js';
import { type CallObservation, ToolCalls } from './tool-calls.js';
import { ToolRefusal } from './tool-errors.js';
import { TOOLS } from './tools.js';

export interface McpSessionOptions {
  /** With the credential of the caller. */
  readonly vr: VoidRunner;
  readonly version: string;
  readonly onCall?: (call: CallObservation) => void;
}

const INSTRUCTIONS = 'Runs untrusted code in sandboxes. Files that a program leaves are in its result.';

/** The server that one client talks to: the same for every transport. */
export class McpSession {
  private readonly server: Server;
  private readonly calls: ToolCalls;

  constructor(private readonly options: McpSessionOptions) {
    this.calls = new ToolCalls(options.vr, options.onCall);
    this.server = new Server(
      { name: 'voidrunner', version: options.version },
      { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
    );
    this.serveTools();
    this.serveResources();
  }

  connect(transport: Transport): Promise<void> {
    return this.server.connect(transport);
  }

  /** Resolves when no call runs. */
  idle(): Promise<void> {
    return this.calls.idle();
  }

  /** Aborts what runs, and resolves when the executions are cancelled. */
  async close(): Promise<void> {
    await this.server.close();
    await this.idle();
  }

  private serveTools(): void {
    const tools = TOOLS.map(describeTool);
    this.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
    this.server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, _meta, sendNotification }) =>
      this.calls.run({
        name: params.name,
        args: params.arguments,
        signal,
        progress: progressFor(_meta?.progressToken, sendNotification),
      }),
    );
  }

  private serveResources(): void {
    const { vr } = this.options;
    const resourceTemplates = [{ name: 'result-file', uriTemplate: FILE_URI_TEMPLATE, description: 'A file of a run' }];
    this.server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [] }));
    this.server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates }));
    this.server.setRequestHandler(ReadResourceRequestSchema, async ({ params }, { signal }) => {
      try {
        return await this.calls.read(() => readFileResource(vr, params.uri, signal));
      } catch (error) {
        throw error instanceof ToolRefusal ? new McpError(ErrorCode.InvalidRequest, error.message) : error;
      }
    });
  }
}

type Notify = (notification: ServerNotification) => Promise<void>;

function progressFor(progressToken: ProgressToken | undefined, notify: Notify): Progress {
  if (progressToken === undefined) return new Progress(null);
  return new Progress(async (progress, message) => {
    const sent = notify({ method: 'notifications/progress', params: { progressToken, progress, message } });
    await ignoreErrors(sent, 'a client that has gone ends the call by its signal');
  });
}
