import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';

import type { CallerContext } from '../../http/request-context.js';
import { InvalidFields } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { SuiteStore } from '../commands/suite-store.js';
import type { SuiteRef } from '../domain/execution-shape.js';
import type { TaskDefinition } from '../domain/task-events.js';
import { packSuite, type TestSuite } from '../domain/test-suite.js';
import { GetTaskFromLog } from '../queries/task-queries.js';
import { OperatorRules } from './operator-rules.js';
import { type AcceptedSuite, acceptedSuite, judgeOf, packSubmitted, requireAllowed } from './submitted-suite.js';
import { JUDGE_WITHOUT_TESTS, type SubmittedJudge, type SubmittedTests } from './suite-schemas.js';

/** What a change makes of a task's tests. */
interface ChangedSuite {
  /** Undefined: nothing. */
  readonly suite?: SuiteRef | null;
  /** The tests from which they were made, which must still be the task's. Undefined: from none. */
  readonly suiteFrom?: SuiteRef | null;
}

/** The fields of a change that the tests of a task depend on. */
interface SuiteChanges {
  readonly tests?: SubmittedTests | null | undefined;
  readonly judge?: SubmittedJudge | undefined;
  /** Name of a runtime. */
  readonly script_type?: string | undefined;
}

/** The tests in requests: checked, then stored. */
@Injectable()
export class SubmittedSuites {
  constructor(
    private readonly queries: QueryBus,
    private readonly store: SuiteStore,
    private readonly rules: OperatorRules,
  ) {}

  /** To be called before anything of the request is stored. @throws InvalidFields */
  accept(
    tests: SubmittedTests | undefined,
    judge: SubmittedJudge | undefined,
    scriptType: string | undefined,
  ): AcceptedSuite | null {
    return tests ? acceptedSuite(tests, judge, scriptType, this.rules) : null;
  }

  /** @throws DomainError `quota_exceeded` */
  async ofNewTask(ownerId: string, suite: AcceptedSuite | null): Promise<SuiteRef | null> {
    return suite && this.store.putOfTask(ownerId, packSubmitted(suite));
  }

  /**
   * @throws InvalidFields, also for tests that do not fit a new runtime; DomainError `quota_exceeded`
   */
  async ofChangedTask(
    ownerId: string,
    { suite: from, script_type: current_type }: Pick<TaskDefinition, 'suite' | 'script_type'>,
    { tests, judge, script_type = current_type }: SuiteChanges,
  ): Promise<ChangedSuite> {
    if (tests === null) return { suite: null };
    if (tests === undefined && judge === undefined && script_type === current_type) return {};
    if (tests && judge) {
      const accepted = acceptedSuite(tests, judge, script_type, this.rules);
      return { suite: await this.store.putOfTask(ownerId, packSubmitted(accepted), from) };
    }
    const current = from && (await this.store.get(from));
    if (tests) {
      const accepted = acceptedSuite(tests, current?.judge, script_type, this.rules);
      return { suite: await this.store.putOfTask(ownerId, packSubmitted(accepted), from), suiteFrom: from };
    }
    if (current) requireAllowed(current.tests, script_type, this.rules);
    if (judge === undefined) return { suiteFrom: from };
    if (!current) throw new InvalidFields([{ field: 'judge', value: '[redacted]', ...JUDGE_WITHOUT_TESTS }]);
    const changed = packSuite({ ...current, judge: judgeOf(judge, this.rules) });
    return { suite: await this.store.putOfTask(ownerId, changed, from), suiteFrom: from };
  }

  /** @throws InvalidFields; DomainError `task_not_found`, `access_denied`, `quota_exceeded` */
  async ofExecution(
    taskId: string,
    caller: CallerContext,
    tests: SubmittedTests,
    judge: SubmittedJudge | undefined,
  ): Promise<SuiteRef> {
    const { owner_id, definition } = await this.queries.execute(new GetTaskFromLog(taskId));
    requireOwner(caller, owner_id);
    const accepted = acceptedSuite(tests, judge, definition.script_type, this.rules);
    return this.store.putOfExecution(caller.userId, packSubmitted(accepted));
  }

  /** @param view keeps no part of the tests. It gets null if there are none, or if they have been destroyed */
  shown<View>(
    { suite }: Pick<TaskDefinition, 'suite'>,
    view: (suite: TestSuite | null) => Promise<View>,
  ): Promise<View> {
    return suite ? this.store.view(suite, view) : view(null);
  }
}
