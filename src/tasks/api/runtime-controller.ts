import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { Public } from '../../http/auth-guard.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { OfferedRuntimes } from '../../runtimes/offered-runtimes.js';
import { floorOf, type Runtime } from '../../runtimes/runtime.js';
import { Runtimes } from '../../runtimes/runtimes.js';
import { type RuntimeList, runtimeList, type RuntimeView } from './runtime-schemas.js';

@ApiTags('runtimes')
@Controller(apiPath('runtimes'))
@Public()
export class RuntimeController {
  constructor(
    private readonly runtimes: Runtimes,
    private readonly offered: OfferedRuntimes,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'List the runtimes',
    description:
      'The languages and their versions that a task’s `script_type` can name, and whether a worker can run them now.',
    operationId: 'listRuntimes',
  })
  @ApiOkResponse({ standardSchema: runtimeList, description: 'In the order of their names' })
  @ApiProblems(503)
  async list(): Promise<RuntimeList> {
    return { runtimes: await Promise.all(this.runtimes.all.map((runtime) => this.viewOf(runtime))) };
  }

  private async viewOf(runtime: Runtime): Promise<RuntimeView> {
    const { name, aliases, language, compile, file_name } = runtime;
    const offer = await this.offered.find(name);
    const { memory_mb: memory_mb_min, pids: pids_min } = floorOf(runtime);
    return {
      ...{ name, aliases, language, version: offer?.version ?? null, compiled: compile !== undefined },
      image_digest: await this.offered.agreedDigest(name),
      ...{ file_name, memory_mb_min, pids_min, preloaded: offer?.preloaded ?? false, available: offer !== undefined },
    };
  }
}
