import { type DynamicModule, Module } from '@nestjs/common';

import { MCP_OPTIONS, McpController, type McpOptions } from '../mcp/mcp-controller.js';
import type { Log } from '../platform/telemetry/log.js';
import { VERSION } from './version.js';

/** The API for models, on top of the API. */
@Module({})
export class McpModule {
  static with(log: Log): DynamicModule {
    const options: McpOptions = { log, version: VERSION };
    return {
      module: McpModule,
      controllers: [McpController],
      providers: [{ provide: MCP_OPTIONS, useValue: options }],
    };
  }
}
