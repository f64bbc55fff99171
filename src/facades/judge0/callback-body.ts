import { Injectable } from '@nestjs/common';

import type { ExecutionRow } from '../../tasks/queries/execution-projection.js';
import { DEFAULT_FIELDS } from './submission-fields.js';
import { SubmissionViews } from './submission-views.js';

/** Of each text. Many callbacks are sent at a time, and each is in memory as a whole. */
export const CALLBACK_TEXT_BYTES_MAX = 64 * 1024;

/** What Judge0 sends to a `callback_url`: the submission as JSON, its texts in base64. */
@Injectable()
export class CallbackBody {
  constructor(private readonly views: SubmissionViews) {}

  /** @throws Unavailable */
  async of(row: ExecutionRow): Promise<string> {
    const shape = { fields: DEFAULT_FIELDS, isBase64: true, textBytesMax: CALLBACK_TEXT_BYTES_MAX };
    return JSON.stringify(await this.views.of(row, 'system', shape, () => Promise.resolve()));
  }
}
