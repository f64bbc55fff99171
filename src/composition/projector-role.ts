import type { RecordedEvent } from '../event-sourcing/core/event.js';
import { ProjectionHandler } from '../event-sourcing/projection/projection-handler.js';
import { isRequest, isWorkersStart } from '../tasks/domain/execution-events.js';
import { endedExecutions } from '../tasks/domain/lifecycle-invariant.js';
import { executionProjection } from '../tasks/queries/execution-projection.js';
import type { Infrastructure } from './infrastructure.js';
import { PROJECTOR } from './postgres-options.js';
import { projectorProjections } from './projections.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';

/** Projects the log to the read models. */
export function createProjectorRole(infra: Infrastructure): RoleProcess {
  const { store, visibility } = infra;
  /** Other processes do not say what they wait for. */
  const isAwaited = ({ position }: RecordedEvent): boolean => store.isShared() || visibility.isWanted(position);
  const handler = new ProjectionHandler(
    infra.pool,
    projectorProjections,
    (position, events, rowsOf) =>
      infra.projected.announce(position, endedExecutions(events), rowsOf(executionProjection.table)),
    (event) => isWorkersStart(event) || (isRequest(event) && !isAwaited(event)),
  );
  const subscription = createSubscription(infra, PROJECTOR, handler, 'projector.apply');
  infra.visibility.onWait(() => subscription.wake());
  return loopRole(PROJECTOR, (signal) => subscription.run(signal));
}
