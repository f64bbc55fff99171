import { Injectable } from '@nestjs/common';

import { HttpCommands } from '../../http/http-commands.js';
import type { CallerContext } from '../../http/request-context.js';
import { newId } from '../../kernel/uuid.js';
import { allSettled } from '../../platform/async/all-settled.js';
import type { EndpointFormat } from '../../webhook-endpoints/endpoint.js';
import { CreateAndStartTask } from '../commands/create-and-start-task.js';
import { InputStore } from '../commands/input-store.js';
import { ScriptStore } from '../commands/script-store.js';
import { CreateTask } from '../domain/task-commands.js';
import type { Start, Submitted } from './execution-starts.js';
import { pathsOf } from './input-schema.js';
import type { OneShotBody } from './one-shot-schema.js';
import { OperatorRules } from './operator-rules.js';
import { SubmittedSuites } from './submitted-suites.js';
import { SubmittedWebhooks } from './submitted-webhooks.js';

/** How a one-shot is started, for ExecutionStarts. */
export interface OneShotStart {
  readonly start: Start;
  readonly submitted: Submitted;
}

export interface OneShotOptions {
  /** False: the program is run once, without the tests of its task. */
  readonly runsTests?: boolean;
  /** What its webhook sends; a CloudEvent by default. */
  readonly webhookFormat?: EndpointFormat;
}

/** Requests that create a task and execute it. */
@Injectable()
export class OneShots {
  constructor(
    private readonly commands: HttpCommands,
    private readonly scripts: ScriptStore,
    private readonly inputs: InputStore,
    private readonly suites: SubmittedSuites,
    private readonly rules: OperatorRules,
    private readonly webhooks: SubmittedWebhooks,
  ) {}

  /** Checks the request, and stores nothing yet. @throws InvalidFields */
  accept(
    { input, script_content, tests, judge, webhook: asked, ...requested }: OneShotBody,
    caller: CallerContext,
    { runsTests = true, webhookFormat }: OneShotOptions = {},
  ): OneShotStart {
    const definition = this.rules.accept(requested);
    const accepted = this.suites.accept(tests, judge, definition.script_type);
    const start: Start = async (executionId, metadata) => {
      await this.webhooks.check(asked);
      // All of them end before a failure is sent: until then, their content is in memory.
      const [script, stored, suite, webhook] = await allSettled([
        this.scripts.put(caller.userId, script_content),
        this.inputs.put(caller.userId, input),
        this.suites.ofNewTask(caller.userId, accepted),
        this.webhooks.seal(caller.userId, executionId, asked, webhookFormat),
      ]);
      const create = new CreateTask(newId(), caller.userId, { ...definition, script, suite }, metadata);
      const content = { input: stored, inputPaths: pathsOf(input), suite: runsTests ? undefined : null, webhook };
      return await this.commands.record(new CreateAndStartTask(create, executionId, caller, content));
    };
    return { start, submitted: { input, tests } };
  }
}
