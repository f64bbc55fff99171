import { DeadLetterPublisher } from '../event-sourcing/relay/dead-letter-publisher.js';
import { DeadLetterNotices } from '../orchestrator/dead-letter-notices.js';
import type { Infrastructure } from './infrastructure.js';
import { DEAD_LETTERS } from './postgres-options.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';

/** Publishes dead letters to `PREFIX_DLQ`. Part of the orchestrator's role, so that no deployment has to name it. */
export function createDeadLettersRole(infra: Infrastructure): RoleProcess {
  const deadLetters = new DeadLetterPublisher({ nats: infra.nats, prefix: infra.config.NATS_STREAM_PREFIX });
  const subscription = createSubscription(infra, DEAD_LETTERS, new DeadLetterNotices(deadLetters));
  return loopRole(DEAD_LETTERS, (signal) => subscription.run(signal));
}
