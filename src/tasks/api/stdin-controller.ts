import { Controller, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import { apiPath } from '../../http/api-path.js';
import { ApiProblems } from '../../http/docs/api-problems.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { Idempotent, KeyedRequest } from '../../http/idempotency/idempotency-key.js';
import { markReplayed, refuseReusedKey } from '../../http/idempotency/idempotent-requests.js';
import { HttpProblem } from '../../http/problem.js';
import { BYTES_TYPES } from '../../http/request-content.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { TakesBytes } from '../../http/route-options.js';
import { uuidParam } from '../../http/validation/params.js';
import { ForKeys } from '../../http/scopes.js';
import { type InputPiece, INPUT_PIECE_BYTES_MAX } from '../../live-input/live-input.js';
import { InputSender } from '../commands/input-sender.js';
import { stdinQuery, type StdinQuery, stdinView } from './execution-schemas.js';

/** Input for a program that runs. */
@ApiTags('executions')
@ApiBearerAuth()
@ApiProblems(400, 401, 403, 404, 409, 413, 415, 429, 503)
@Controller(apiPath('executions'))
export class StdinController {
  constructor(private readonly inputs: InputSender) {}

  @Post(':id/stdin')
  @ForKeys('executions:write')
  @HttpCode(202)
  @Idempotent()
  @TakesBytes(INPUT_PIECE_BYTES_MAX)
  @ApiOperation({
    summary: 'Add to the standard input of a running execution',
    description:
      'For an execution that was started with `input.interactive`. The program gets the bytes unchanged, after those ' +
      'of `input.stdin` and of earlier requests; wait for each response to keep an order. They are all taken, or none. ' +
      '409 `execution_not_running`: it is pending, or its program is over; `execution_ended`; ' +
      '`execution_not_interactive`; `stdin_closed`: after `eof`. 429 `stdin_full`: the program does not read; repeat ' +
      'the request later. 503: the bytes may have been taken; repeat the request with the same Idempotency-Key, ' +
      'which an attempt remembers for its last 1,000 requests. An attempt that is retried begins without them. The ' +
      'bytes are not stored.',
    operationId: 'sendStdin',
  })
  @ApiConsumes(...BYTES_TYPES)
  @ApiBody({
    required: false,
    schema: {
      type: 'string',
      format: 'binary',
      maxLength: INPUT_PIECE_BYTES_MAX,
      description: 'May be empty with `eof`',
      example: 'Ada\n',
    },
  })
  @ApiAcceptedResponse({ standardSchema: stdinView, description: 'The bytes are on their way to the program' })
  async send(
    @Param('id', uuidParam('Invalid execution ID format')) id: string,
    @Query({ schema: stdinQuery }) { eof }: StdinQuery,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ): Promise<z.output<typeof stdinView>> {
    const sent = await this.inputs.send(id, caller, pieceOf(exchange, caller, eof));
    if (sent.outcome === 'reused') return refuseReusedKey();
    if (sent.replayed) markReplayed(exchange);
    return { attempt: sent.attempt, stdin_bytes: sent.bytes, closed: sent.closed };
  }
}

/** @throws HttpProblem 400 */
function pieceOf({ request }: Exchange, { userId }: CallerContext, isLast: boolean): InputPiece {
  const bytes = request.body as Buffer | undefined;
  if (!bytes && !isLast) throw new HttpProblem(400, 'no_stdin', 'Without eof=true, the body must not be empty');
  const keyed = KeyedRequest.of(request, userId);
  // The query is part of this request: it says more than how to respond.
  const repeatable = keyed && { id: keyed.commandId(0), digest: `${keyed.digest} ${isLast}` };
  return { bytes: bytes ?? new Uint8Array(), isLast, request: repeatable };
}
