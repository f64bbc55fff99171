import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import type { CallerContext } from '../../http/request-context.js';
import { InvalidFields } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { scheduleMinorGc } from '../../platform/memory/minor-gc.js';
import { SuiteStore } from '../commands/suite-store.js';
import type { SuiteRef } from '../domain/execution-shape.js';
import type { TaskDefinition } from '../domain/task-events.js';
import { type PackedSuite, packSuite, type TestSuite } from '../domain/test-suite.js';
import { GetTaskFromLog } from '../queries/task-queries.js';
import { OperatorRules } from './operator-rules.js';
import { emptyTests, judgeOf, suiteOf } from './submitted-suite.js';
import { JUDGE_WITHOUT_TESTS, type SubmittedJudge, type SubmittedTests } from './suite-schemas.js';

/**
 * The tests in requests: checked, then stored, and emptied, so that their texts do not stay in memory. Every method
 * that stores throws InvalidFields and `quota_exceeded`.
 */
@Injectable()
export class SubmittedSuites {
  constructor(
    private readonly queries: QueryBus,
    private readonly store: SuiteStore,
    private readonly rules: OperatorRules,
  ) {}

  async ofNewTask(
    ownerId: string,
    scriptType: string,
    tests: SubmittedTests | undefined,
    judge: SubmittedJudge | undefined,
  ): Promise<SuiteRef | null> {
    return tests ? this.store.putOfTask(ownerId, this.packed(tests, judge, scriptType)) : null;
  }

  /** @returns undefined: they do not change */
  async ofChangedTask(
    ownerId: string,
    { suite, script_type }: Pick<TaskDefinition, 'suite' | 'script_type'>,
    tests: SubmittedTests | null | undefined,
    judge: SubmittedJudge | undefined,
  ): Promise<SuiteRef | null | undefined> {
    if (tests === null || (tests === undefined && judge === undefined)) return tests;
    if (tests) {
      const kept = judge ?? (suite && (await this.store.get(suite))?.judge) ?? undefined;
      return this.store.putOfTask(ownerId, this.packed(tests, kept, script_type), suite);
    }
    const current = suite && (await this.store.get(suite));
    if (!current) throw new InvalidFields([{ field: 'judge', value: '[redacted]', ...JUDGE_WITHOUT_TESTS }]);
    return this.store.putOfTask(ownerId, packSuite({ ...current, judge: judgeOf(judge, this.rules) }), suite);
  }

  /** @throws DomainError `task_not_found`, `access_denied` */
  async ofExecution(
    taskId: string,
    caller: CallerContext,
    tests: SubmittedTests,
    judge: SubmittedJudge | undefined,
  ): Promise<SuiteRef> {
    const { owner_id, definition } = await this.queries.execute(new GetTaskFromLog(taskId));
    requireOwner(caller, owner_id);
    return this.store.putOfExecution(caller.userId, this.packed(tests, judge, definition.script_type));
  }

  /** @param view keeps no part of the tests. It gets null if there are none, or if they have been destroyed */
  shown<View>(
    { suite }: Pick<TaskDefinition, 'suite'>,
    view: (suite: TestSuite | null) => Promise<View>,
  ): Promise<View> {
    return suite ? this.store.view(suite, view) : view(null);
  }

  private packed(
    tests: SubmittedTests,
    judge: SubmittedJudge | undefined,
    scriptType: string | undefined,
  ): PackedSuite {
    const suite = packSuite(suiteOf(tests, judge, scriptType, this.rules));
    emptyTests(tests);
    scheduleMinorGc(suite.content.length);
    return suite;
  }
}
