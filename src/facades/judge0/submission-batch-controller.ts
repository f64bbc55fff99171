import { Body, Controller, Get, HttpStatus, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiExcludeController } from '@nestjs/swagger';

import { BODY_WITH_INPUT_BYTES_MAX } from '../../http/body-parser.js';
import { type Exchange, HttpExchange } from '../../http/http-commands.js';
import { failureOf } from '../../http/problem.js';
import { RateLimitedByContent } from '../../http/rate-limit/rate-limit-guard.js';
import { Caller, type CallerContext } from '../../http/request-context.js';
import { BodyLimit } from '../../http/route-options.js';
import { ForKeys } from '../../http/scopes.js';
import { canonical, isUuid } from '../../http/validation/params.js';
import { type AcceptedItem, BatchPayloads } from '../../tasks/api/batch-payloads.js';
import { BatchStarts } from '../../tasks/api/batch-starts.js';
import { DomainError } from '../../kernel/errors.js';
import { GetExecution } from '../../tasks/queries/execution-queries.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { BATCH_SUBMISSIONS_MAX } from './config-info.js';
import { JUDGE0_PREFIX, judge0Dialect } from './judge0-dialect.js';
import { textOf } from './scalars.js';
import { SubmissionAnswers } from './submission-answers.js';
import { badRequest, isTrue, type Params, shapeIn } from './submission-fields.js';
import { HOW_SUBMISSIONS_START, Submissions } from './submissions.js';

const TOO_MANY = `number of submissions in a batch should be less than or equal to ${BATCH_SUBMISSIONS_MAX}`;
const NONE = 'there should be at least one submission in a batch';

/** Of a body that is not checked yet. */
function submissionsIn(body: unknown): readonly unknown[] {
  const sent = (body as { submissions?: unknown } | null | undefined)?.submissions;
  return Array.isArray(sent) ? sent : [];
}

const weightOf = (body: unknown): number => Math.min(Math.max(submissionsIn(body).length, 1), BATCH_SUBMISSIONS_MAX);

/** The answer to one submission of a batch: it is to be started, or refused. */
type Checked = { readonly item: AcceptedItem } | { readonly errors: unknown };

@ApiExcludeController()
@Controller(`${JUDGE0_PREFIX.slice(1)}/submissions/batch`)
export class SubmissionBatchController {
  constructor(
    private readonly submissions: Submissions,
    private readonly payloads: BatchPayloads,
    private readonly starts: BatchStarts,
    private readonly answers: SubmissionAnswers,
    private readonly queries: QueryBus,
  ) {}

  /** The valid ones become one batch; the errors of each other one stand in its place. */
  @Post()
  @ForKeys('executions:write')
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  @RateLimitedByContent(weightOf)
  async create(
    @Query() query: Params,
    @Body() body: unknown,
    @Caller() caller: CallerContext,
    @HttpExchange() exchange: Exchange,
  ) {
    const sent = submissionsIn(body);
    requireBatch(sent.length);
    const isBase64 = isTrue(query['base64_encoded']);
    const checked: Checked[] = [];
    for (const each of sent) checked.push(await this.checked(each, isBase64));
    const items = checked.flatMap((each) => ('item' in each ? [each.item] : []));
    if (items.length === 0) void exchange.reply.code(HttpStatus.UNPROCESSABLE_ENTITY);
    const batch = items.length === 0 ? null : await this.starts.run(exchange, caller, items, HOW_SUBMISSIONS_START);
    const tokens = (batch?.executions ?? []).map(({ id }) => id).values();
    return checked.map((each) => ('item' in each ? { token: tokens.next().value } : each.errors));
  }

  @Get()
  @ForKeys('executions:read')
  async get(@Query() query: Params, @Caller() caller: CallerContext, @HttpExchange() exchange: Exchange) {
    const shape = shapeIn(query);
    const sent = (textOf(query['tokens']) ?? '').trim();
    const tokens = sent === '' ? [] : sent.split(',');
    requireBatch(tokens.length);
    const rows = await Promise.all(tokens.map((token) => this.find(token.trim(), caller)));
    return this.answers.several(rows, shape, caller, exchange, (submissions) => ({ submissions }));
  }

  private async checked(sent: unknown, isBase64: boolean): Promise<Checked> {
    try {
      const body = await this.submissions.accept(sent, isBase64);
      return { item: this.payloads.accept([body], () => '')[0]! };
    } catch (error) {
      const answer = judge0Dialect.errorOf(failureOf(error));
      if (answer.status !== HttpStatus.UNPROCESSABLE_ENTITY) throw error;
      return { errors: answer.body };
    }
  }

  /** Null for one that does not exist, and for somebody else's. */
  private async find(token: string, caller: CallerContext): Promise<ExecutionRow | null> {
    if (!isUuid(token)) return null;
    try {
      return await this.queries.execute(new GetExecution(canonical(token), caller));
    } catch (error) {
      if (error instanceof DomainError && (error.kind === 'not_found' || error.kind === 'forbidden')) return null;
      throw error;
    }
  }
}

function requireBatch(size: number): void {
  if (size > BATCH_SUBMISSIONS_MAX) throw badRequest(TOO_MANY);
  if (size === 0) throw badRequest(NONE);
}
