import { Injectable } from '@nestjs/common';

import type { Exchange } from '../../http/http-commands.js';
import { unsizedResponse } from '../../http/large-response.js';
import type { CallerContext } from '../../http/request-context.js';
import { LargeResponses } from '../../http/user-concurrency.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { badRequest, type Shape } from './submission-fields.js';
import { type Grow, NotText, SubmissionViews } from './submission-views.js';

/** The texts of Judge0. */
const NOT_TEXT =
  'some attributes for this submission cannot be converted to UTF-8, use base64_encoded=true query parameter';
const SOME_NOT_TEXT =
  'some attributes for one or more submissions cannot be converted to UTF-8, use base64_encoded=true query parameter';

/** Characters of all texts in a response with several submissions; those of one are limited by themselves. */
const TEXT_CHARS_MAX = 32 * 1024 ** 2;
const TOO_LONG =
  `the texts of these submissions have more than ${TEXT_CHARS_MAX} characters together, ` +
  'ask for fewer submissions or for other fields';

/** Responses with submissions. Their texts can make them large. */
@Injectable()
export class SubmissionAnswers {
  constructor(
    private readonly views: SubmissionViews,
    private readonly largeResponses: LargeResponses,
  ) {}

  /** @throws HttpProblem 400 if a text is not UTF-8 */
  one(row: ExecutionRow, shape: Shape, caller: CallerContext, exchange: Exchange) {
    const read = (grow: Grow) => this.views.of(row, caller, shape, grow).catch(refuse(NOT_TEXT));
    return this.respond(caller, exchange, read);
  }

  /** Of a submission that was just created: it exists even if a text is not UTF-8. */
  created(row: ExecutionRow, shape: Shape, caller: CallerContext, exchange: Exchange) {
    return this.respond<unknown>(caller, exchange, async (grow) => {
      try {
        return await this.views.of(row, caller, shape, grow);
      } catch (error) {
        if (error instanceof NotText) return { error: NOT_TEXT, token: row.id };
        throw error;
      }
    });
  }

  /**
   * @param rows null: there is none
   * @throws HttpProblem 400 if a text is not UTF-8, or if they are too long together
   */
  several<Content>(
    rows: readonly (ExecutionRow | null)[],
    shape: Shape,
    caller: CallerContext,
    exchange: Exchange,
    contentOf: (submissions: readonly unknown[]) => Content,
  ) {
    return this.respond(caller, exchange, async (grow) => {
      const shown: unknown[] = [];
      let chars = 0;
      // One at a time: each output is read as a whole.
      for (const row of rows) {
        const view = row && (await this.views.of(row, caller, shape, grow).catch(refuse(SOME_NOT_TEXT)));
        chars += textCharsOf(view ?? {});
        if (chars > TEXT_CHARS_MAX) throw badRequest(TOO_LONG);
        shown.push(view);
      }
      return contentOf(shown);
    });
  }

  private respond<Content>({ userId }: CallerContext, { reply }: Exchange, read: (grow: Grow) => Promise<Content>) {
    return unsizedResponse(this.largeResponses, { userId, reply, read });
  }
}

const textCharsOf = (view: object): number =>
  Object.values(view).reduce<number>((sum, value) => (typeof value === 'string' ? sum + value.length : sum), 0);

const refuse =
  (message: string) =>
  (error: unknown): never => {
    throw error instanceof NotText ? badRequest(message) : error;
  };
