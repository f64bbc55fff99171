import { ProjectionHandler } from '../event-sourcing/projection/projection-handler.js';
import { isWorkersStart } from '../tasks/domain/execution-events.js';
import { endedExecutions } from '../tasks/domain/lifecycle-invariant.js';
import type { Infrastructure } from './infrastructure.js';
import { PROJECTOR } from './postgres-options.js';
import { projectorProjections } from './projections.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';

/** Projects the log to the read models. */
export function createProjectorRole(infra: Infrastructure): RoleProcess {
  const handler = new ProjectionHandler(
    infra.pool,
    projectorProjections,
    (position, events) => infra.projected.announce(position, endedExecutions(events)),
    isWorkersStart,
  );
  const subscription = createSubscription(infra, PROJECTOR, handler, 'projector.apply');
  return loopRole(PROJECTOR, (signal) => subscription.run(signal));
}
