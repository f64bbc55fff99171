import { Injectable } from '@nestjs/common';

import type { Exchange } from '../../http/http-commands.js';
import type { CallerContext } from '../../http/request-context.js';
import { ExecutionStarts } from '../../tasks/api/execution-starts.js';
import { FILES_MAX, INPUT_BYTES_MAX } from '../../tasks/api/input-schema.js';
import type { OneShotBody } from '../../tasks/api/one-shot-schema.js';
import { OneShots } from '../../tasks/api/one-shots.js';
import { OperatorRules } from '../../tasks/api/operator-rules.js';
import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { CheckedUrls } from '../../webhook-endpoints/checked-urls.js';
import { checkedOneShot, longestWaitSeconds } from '../translated-one-shot.js';
import { InvalidArchive, unpack } from './additional-files.js';
import { type ConfigInfo, configInfo } from './config-info.js';
import { LanguageCatalog } from './language-catalog.js';
import { invalidSubmission } from './submission-errors.js';
import { oneShotOf, submissionIn } from './submission-request.js';

const ARCHIVE_LIMITS = { filesMax: FILES_MAX, bytesMax: INPUT_BYTES_MAX };

/** A callback is sent by a PUT with the submission. */
export const HOW_SUBMISSIONS_START = { runsTests: false, webhookFormat: 'judge0' } as const;

/** Creates submissions: each is a task with one execution, whose id is the token. */
@Injectable()
export class Submissions {
  readonly config: ConfigInfo;

  constructor(
    private readonly languages: LanguageCatalog,
    private readonly rules: OperatorRules,
    private readonly oneShots: OneShots,
    private readonly starts: ExecutionStarts,
    private readonly urls: CheckedUrls,
  ) {
    this.config = configInfo(rules);
  }

  /** What is to be run for it. @throws HttpProblem 422 with the errors of each field */
  async accept(sent: unknown, isBase64: boolean): Promise<OneShotBody> {
    const { config } = this;
    const submission = submissionIn(sent, { languages: this.languages.byId, config, isBase64 });
    if (submission.callbackUrl !== null) await this.checkCallback(submission.callbackUrl);
    const files = submission.archive === null ? [] : await unpacked(submission.archive);
    return checkedOneShot(oneShotOf(submission, files, config));
  }

  /** @param waits for the end, as long as it can take */
  async create(body: OneShotBody, waits: boolean, caller: CallerContext, exchange: Exchange): Promise<ExecutionRow> {
    const { start, submitted } = this.oneShots.accept(body, caller, HOW_SUBMISSIONS_START);
    const waitSeconds = waits ? longestWaitSeconds(body, this.rules.runtimeOf(body.script_type)) : 0;
    return this.starts.execution(exchange, caller, waitSeconds, start, submitted);
  }

  private async checkCallback(url: string): Promise<void> {
    const refusal = await this.urls.refusalOf(url);
    if (refusal) throw invalidSubmission({ callback_url: [refusal.message] });
  }
}

async function unpacked(archive: Buffer) {
  try {
    return await unpack(archive, ARCHIVE_LIMITS);
  } catch (error) {
    if (error instanceof InvalidArchive) throw invalidSubmission({ additional_files: [error.message] });
    throw error;
  }
}
