import { Body, Controller, Delete, Get, HttpCode, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { Public } from '../../http/auth-guard.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { HttpProblem } from '../../http/problem.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { BodyLimit, JsonAsText } from '../../http/route-options.js';
import { ForKeys } from '../../http/scopes.js';
import { PistonExecutions } from './piston-executions.js';
import { PISTON_PREFIX } from './piston-dialect.js';
import { PistonRuntimes } from './piston-runtimes.js';
import { refused } from './execute-request.js';

const CONNECT_MESSAGE =
  'Interactive sessions over a WebSocket are not supported. Use POST /api/v1/executions/{id}/stdin and its event stream';
const PACKAGES_MESSAGE = 'Packages cannot be installed or removed: the operator of this service declares its runtimes';

/** The API of Piston, version 2, as its documents describe it (docs/migrating.md). */
@ApiExcludeController()
@Controller(`${PISTON_PREFIX.slice(1)}/api/v2`)
export class PistonController {
  constructor(
    private readonly runtimes: PistonRuntimes,
    private readonly executions: PistonExecutions,
  ) {}

  @Get('runtimes')
  @Public()
  async list() {
    return (await this.runtimes.all()).map(({ language, version, aliases }) => ({ language, version, aliases }));
  }

  @Post('execute')
  @ForKeys('executions:write')
  @HttpCode(200)
  @JsonAsText()
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  execute(@Body() body: unknown, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    return this.executions.run(body, caller, exchange);
  }

  @Get('packages')
  @Public()
  async packages() {
    return (await this.runtimes.all()).map(({ language, version: language_version }) => ({
      language,
      language_version,
      installed: true,
    }));
  }

  @Post('packages')
  @ForKeys('executions:write')
  install(): never {
    throw packagesRefused();
  }

  @Delete('packages')
  @ForKeys('executions:write')
  uninstall(): never {
    throw packagesRefused();
  }

  @Get('connect')
  @Public()
  connect(): never {
    throw refused(CONNECT_MESSAGE);
  }
}

const packagesRefused = (): HttpProblem => new HttpProblem(403, 'packages_refused', PACKAGES_MESSAGE);
