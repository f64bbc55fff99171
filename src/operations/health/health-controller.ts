import { Controller, Get, Res } from '@nestjs/common';
import {
  ApiExcludeController,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { API_BASE, apiPath } from '../../http/api-path.js';
import { Public } from '../../http/auth-guard.js';
import { HealthReports } from './health-reports.js';
import {
  type HealthResponse,
  healthResponse,
  pingResponse,
  type ReadyResponse,
  readyResponse,
  type WorkersResponse,
  workersResponse,
} from './health-schemas.js';

/** At the root, where orchestrators look. */
@ApiTags('health')
@Controller('/')
@Public()
export class HealthController {
  constructor(private readonly reports: HealthReports) {}

  @Get('health')
  @ApiOperation({
    summary: 'Is the process up',
    description: 'Asks nothing of what it depends on.',
    operationId: 'health',
  })
  @ApiOkResponse({ standardSchema: healthResponse, description: 'It is' })
  health(): HealthResponse {
    return this.reports.health();
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Can the service do its work',
    description: 'Asks everything it depends on. Reads may well work while it is not ready.',
    operationId: 'ready',
  })
  @ApiOkResponse({ standardSchema: readyResponse, description: 'Everything it needs is there' })
  @ApiServiceUnavailableResponse({ standardSchema: readyResponse, description: 'The checks say what is missing' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadyResponse> {
    const answer = await this.reports.ready();
    if (answer.status !== 'ready') reply.status(503);
    return answer;
  }

  @Get('health/workers')
  @ApiOperation({
    summary: 'The workers of all processes, in sum',
    description: 'What they do now, and what they have done since they started.',
    operationId: 'workersHealth',
  })
  @ApiOkResponse({ standardSchema: workersResponse, description: 'Counts; no names' })
  workers(): Promise<WorkersResponse> {
    return this.reports.workers();
  }
}

/** Under the API's base path too, where its clients look. */
@ApiExcludeController()
@Controller(API_BASE)
@Public()
export class ApiHealthController extends HealthController {}

@ApiTags('health')
@Controller(apiPath('ping'))
@Public()
export class PingController {
  @Get()
  @ApiOperation({ summary: 'Anybody there', description: 'The cheapest answer there is.', operationId: 'ping' })
  @ApiOkResponse({ standardSchema: pingResponse, description: 'pong' })
  ping(): { message: string } {
    return { message: 'pong' };
  }
}
