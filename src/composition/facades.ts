import type { Provider, Type } from '@nestjs/common';

import type { Facade } from '../config/setting-types.js';
import { CallbackBody } from '../facades/judge0/callback-body.js';
import { Judge0Controller } from '../facades/judge0/judge0-controller.js';
import { judge0Dialect } from '../facades/judge0/judge0-dialect.js';
import { LanguageCatalog } from '../facades/judge0/language-catalog.js';
import { SubmissionAnswers } from '../facades/judge0/submission-answers.js';
import { SubmissionBatchController } from '../facades/judge0/submission-batch-controller.js';
import { SubmissionController } from '../facades/judge0/submission-controller.js';
import { SubmissionViews } from '../facades/judge0/submission-views.js';
import { Submissions } from '../facades/judge0/submissions.js';
import { PistonController } from '../facades/piston/piston-controller.js';
import { pistonDialect } from '../facades/piston/piston-dialect.js';
import { PistonExecutions } from '../facades/piston/piston-executions.js';
import { PistonRuntimes } from '../facades/piston/piston-runtimes.js';
import { RecordedRuns } from '../facades/recorded-runs.js';
import type { Dialect } from '../http/dialect.js';

interface Parts {
  readonly dialect: Dialect;
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
}

const PARTS: Readonly<Record<Facade, Parts>> = {
  piston: {
    dialect: pistonDialect,
    controllers: [PistonController],
    providers: [PistonRuntimes, PistonExecutions],
  },
  judge0: {
    dialect: judge0Dialect,
    controllers: [Judge0Controller, SubmissionBatchController, SubmissionController],
    providers: [Submissions, SubmissionAnswers],
  },
};

/** Of callbacks, which the role of webhooks sends, in whichever process. */
const CALLBACK_PROVIDERS: readonly Provider[] = [RecordedRuns, LanguageCatalog, SubmissionViews, CallbackBody];

/** The façades that are on. */
export function facadeParts(facades: readonly Facade[]) {
  const parts = [...new Set(facades)].map((facade) => PARTS[facade]);
  return {
    dialects: parts.map(({ dialect }) => dialect),
    controllers: parts.flatMap(({ controllers }) => controllers),
    providers: [...CALLBACK_PROVIDERS, ...parts.flatMap(({ providers }) => providers)],
  };
}
