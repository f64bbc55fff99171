import { Injectable } from '@nestjs/common';

import { type FieldFault, InvalidFields } from '../../kernel/errors.js';
import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { Runtimes } from '../../runtimes/runtimes.js';
import type { BatchTask } from '../commands/create-batch.js';
import { requireFreeScriptPath } from '../commands/execution-requests.js';
import { InputStore } from '../commands/input-store.js';
import { ScriptStore } from '../commands/script-store.js';
import { batchExecutionId } from '../domain/batch-state.js';
import { pathsOf } from './input-schema.js';
import type { OneShotBody } from './one-shot-schema.js';
import type { OneShotOptions } from './one-shots.js';
import { OperatorRules } from './operator-rules.js';
import type { AcceptedSuite } from './submitted-suite.js';
import { SubmittedSuites } from './submitted-suites.js';
import { SubmittedWebhooks } from './submitted-webhooks.js';
import type { ExecutionWebhookBody } from './webhook-schema.js';

/** Items whose script and input are stored at a time: small payloads share a statement. */
const ITEMS_AT_A_TIME = 16;

/** With the names of runtimes for aliases. */
export interface AcceptedItem {
  readonly item: OneShotBody;
  readonly suite: AcceptedSuite | null;
}

export interface BatchOptions extends OneShotOptions {
  /** For items that have none of their own. */
  readonly webhook?: ExecutionWebhookBody | undefined;
}

/** Checks and stores the items of a batch, before its events are recorded. */
@Injectable()
export class BatchPayloads {
  constructor(
    private readonly rules: OperatorRules,
    private readonly runtimes: Runtimes,
    private readonly scripts: ScriptStore,
    private readonly inputs: InputStore,
    private readonly suites: SubmittedSuites,
    private readonly webhooks: SubmittedWebhooks,
  ) {}

  /**
   * @throws InvalidFields that names the faults of all items: `items.3.script_type`
   * @param at of an item in the body, by its index
   */
  accept(items: readonly OneShotBody[], at = (index: number): string => `items.${index}.`): AcceptedItem[] {
    const faults: FieldFault[] = [];
    const collect = <T>(index: number, check: () => T): T | undefined => {
      try {
        return check();
      } catch (error) {
        if (!(error instanceof InvalidFields)) throw error;
        faults.push(...error.fields.map((fault) => ({ ...fault, field: `${at(index)}${fault.field}` })));
        return undefined;
      }
    };
    const accepted = items.flatMap((item, index) => {
      const runtime = this.runtimes.find(item.script_type);
      const { tests, judge } = item;
      if (runtime) collect(index, () => requireFreeScriptPath(runtime, pathsOf(item.input)));
      const suite = collect(index, () => this.suites.accept(tests, judge, runtime?.name)) ?? null;
      const accepted = collect(index, () => this.rules.accept(item));
      return accepted ? { item: accepted, suite } : [];
    });
    if (faults.length > 0) throw new InvalidFields(faults);
    return accepted;
  }

  /** @throws HttpProblem 422 `webhook_url_refused` */
  async checkWebhooks(items: readonly AcceptedItem[], common: ExecutionWebhookBody | undefined): Promise<void> {
    const webhooks = [common, ...items.map(({ item }) => item.webhook)].filter((webhook) => webhook !== undefined);
    const byUrl = new Map(webhooks.map((webhook) => [webhook.url, webhook]));
    await mapInParallel([...byUrl.values()], ITEMS_AT_A_TIME, (webhook) => this.webhooks.check(webhook));
  }

  /** Stores nothing more after a failure. @throws DomainError `quota_exceeded` */
  store(
    ownerId: string,
    batchId: string,
    items: readonly AcceptedItem[],
    { runsTests = true, webhook: common, webhookFormat }: BatchOptions = {},
  ): Promise<BatchTask[]> {
    const indexed = [...items.entries()];
    return mapInParallel(indexed, ITEMS_AT_A_TIME, async ([index, { item, suite: accepted }]) => {
      const { input: submitted, script_content, tests: _tests, judge: _judge, webhook: own, ...definition } = item;
      const script = await this.scripts.put(ownerId, script_content);
      const suite = await this.suites.ofNewTask(ownerId, accepted);
      const input = await this.inputs.put(ownerId, submitted);
      const webhook = await this.webhooks.seal(ownerId, batchExecutionId(batchId, index), own ?? common, webhookFormat);
      const content = { input, inputPaths: pathsOf(submitted), suite: runsTests ? undefined : null, webhook };
      return { definition: { ...definition, script, suite }, content };
    });
  }
}
