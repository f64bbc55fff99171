import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { apiPath } from '../../http/api-path.js';
import { Public } from '../../http/auth-guard.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import {
  type CheckpointView,
  checkpointView,
  type ConsistencyQuery,
  consistencyQuery,
  type ConsistencyView,
  consistencyView,
  type LogKeys,
  logKeys,
} from './log-schemas.js';
import { SealedLog } from './sealed-log.js';

/** Public: a checkpoint reveals how many events there are, and nothing else about them. */
@ApiTags('log')
@Controller(apiPath('log'))
@Public()
export class LogController {
  constructor(private readonly log: SealedLog) {}

  @Get('checkpoints/latest')
  @ApiOperation({
    summary: 'Get the newest signed checkpoint of the log',
    description: 'A new one is signed every second while events are recorded. 404 until the first one.',
    operationId: 'getLatestCheckpoint',
  })
  @ApiOkResponse({ standardSchema: checkpointView, description: 'The checkpoint' })
  @ApiProblems(404, 503)
  async latest(): Promise<CheckpointView> {
    const { size, root, sealedAt, note } = await this.log.newest();
    return { size, root: root.toString('base64'), sealed_at: sealedAt, checkpoint: note };
  }

  @Get('key')
  @ApiOperation({
    summary: 'Get the public keys of the log',
    description:
      'Keep them with the first checkpoint that you trust: whoever changes the log may change this response.',
    operationId: 'getLogKeys',
  })
  @ApiOkResponse({ standardSchema: logKeys, description: 'The keys' })
  @ApiProblems(503)
  async keys(): Promise<LogKeys> {
    return { keys: (await this.log.verifiers()).map(({ text }) => text) };
  }

  @Get('consistency')
  @ApiOperation({
    summary: 'Prove that an older checkpoint is the beginning of a newer one',
    description: 'The nodes of a consistency proof (RFC 9162, 2.1.4).',
    operationId: 'getLogConsistency',
  })
  @ApiOkResponse({ standardSchema: consistencyView, description: 'The proof' })
  @ApiProblems(400, 404, 503)
  async consistency(@Query({ schema: consistencyQuery }) query: ConsistencyQuery): Promise<ConsistencyView> {
    const { to, proof } = await this.log.consistency(query.from, query.to);
    return { from: query.from, to, proof: proof.map((node) => node.toString('base64')) };
  }
}
