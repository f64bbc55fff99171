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

/** Health routes at the root, where orchestrators expect them. */
@ApiTags('health')
@Controller('/')
@Public()
export class HealthController {
  constructor(private readonly reports: HealthReports) {}

  @Get('health')
  @ApiOperation({
    summary: 'Check whether the process is up',
    description: 'Does not check any dependency.',
    operationId: 'health',
  })
  @ApiOkResponse({ standardSchema: healthResponse, description: 'The process is up' })
  health(): HealthResponse {
    return this.reports.health();
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Check whether the service is ready',
    description: 'Checks all dependencies. Reads can still work while the service is not ready.',
    operationId: 'ready',
  })
  @ApiOkResponse({ standardSchema: readyResponse, description: 'All dependencies are available' })
  @ApiServiceUnavailableResponse({
    standardSchema: readyResponse,
    description: '`checks` names the dependencies that are unavailable',
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadyResponse> {
    const report = await this.reports.ready();
    if (report.status !== 'ready') reply.status(503);
    return report;
  }

  @Get('health/workers')
  @ApiOperation({
    summary: 'Get the totals of all workers',
    description:
      'Sums over all worker processes: their current state, and what they have processed since they started.',
    operationId: 'workersHealth',
  })
  @ApiOkResponse({ standardSchema: workersResponse, description: 'Counts, without the names of workers' })
  workers(): Promise<WorkersResponse> {
    return this.reports.workers();
  }
}

/** The same routes under the API's base path, for API clients. */
@ApiExcludeController()
@Controller(API_BASE)
@Public()
export class ApiHealthController extends HealthController {}

@ApiTags('health')
@Controller(apiPath('ping'))
@Public()
export class PingController {
  @Get()
  @ApiOperation({
    summary: 'Ping the API',
    description: 'Returns a constant response and checks nothing.',
    operationId: 'ping',
  })
  @ApiOkResponse({ standardSchema: pingResponse, description: 'The constant response' })
  ping(): { message: string } {
    return { message: 'pong' };
  }
}
