import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiExcludeController } from '@nestjs/swagger';

import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { ForKeys } from '../../http/scopes.js';
import { uuidParam } from '../../http/validation/params.js';
import { GetExecution, ListExecutions } from '../../tasks/queries/execution-queries.js';
import { JUDGE0_PREFIX } from './judge0-dialect.js';
import { SubmissionAnswers } from './submission-answers.js';
import { badRequest, isTrue, type Params, shapeIn } from './submission-fields.js';
import { metaOf, pageIn } from './submission-pages.js';
import { Submissions } from './submissions.js';

const token = uuidParam('Invalid token');

/** Submissions of Judge0 CE 1.13, as its documents describe them (docs/migrating.md). */
@ApiExcludeController()
@Controller(`${JUDGE0_PREFIX.slice(1)}/submissions`)
export class SubmissionController {
  constructor(
    private readonly submissions: Submissions,
    private readonly answers: SubmissionAnswers,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ForKeys('executions:write')
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  async create(
    @Query() query: Params,
    @Body() body: unknown,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const shape = shapeIn(query);
    const waits = isTrue(query['wait']);
    const accepted = await this.submissions.accept(body, shape.isBase64);
    const row = await this.submissions.create(accepted, waits, caller, exchange);
    return waits ? this.answers.created(row, shape, caller, exchange) : { token: row.id };
  }

  /** All executions of the caller, whoever has started them. */
  @Get()
  @ForKeys('executions:read')
  async list(@Query() query: Params, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    const shape = shapeIn(query);
    const asked = pageIn(query);
    const found = await this.queries.execute(new ListExecutions(caller.userId, {}, asked));
    if (found.by !== 'offset') throw new Error('a page by offset was asked for');
    const meta = metaOf(asked, found.page.total);
    return this.answers.several(found.page.rows, shape, caller, exchange, (submissions) => ({ submissions, meta }));
  }

  @Get(':token')
  @ForKeys('executions:read')
  async get(
    @Param('token', token) id: string,
    @Query() query: Params,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const shape = shapeIn(query);
    return this.answers.one(await this.queries.execute(new GetExecution(id, caller)), shape, caller, exchange);
  }

  /** As Judge0 answers unless its operator allows it: what has been recorded is never removed. */
  @Delete(':token')
  @ForKeys('executions:write')
  delete(): never {
    throw badRequest('delete not allowed');
  }
}
