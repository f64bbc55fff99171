import { EventPublisher } from '../event-sourcing/relay/event-publisher.js';
import { EventRelay } from '../event-sourcing/relay/event-relay.js';
import { leastCheckpoint } from '../event-sourcing/subscription/checkpoint-store.js';
import { LeaderLock } from '../platform/postgres/leader-lock.js';
import type { Infrastructure } from './infrastructure.js';
import { DEAD_LETTERS, ORCHESTRATOR, postgresOptions, PROJECTOR } from './postgres-options.js';
import { loopRole, type RoleProcess } from './role-process.js';

/** Publishes the log to JetStream. */
export function createRelayRole(infra: Infrastructure): RoleProcess {
  const { config, log, store, nats, eventsStream, appends, pool } = infra;
  const relay = new EventRelay({
    events: store,
    recent: store.recent,
    stream: eventsStream,
    publisher: new EventPublisher({ nats, prefix: config.NATS_STREAM_PREFIX }),
    lock: new LeaderLock({ name: 'relay', postgres: postgresOptions(config, 'relay lead'), log }),
    appends,
    leastCheckpoint: () => leastCheckpoint(pool, [PROJECTOR, ORCHESTRATOR, DEAD_LETTERS]),
    log,
    isAwaited: () => store.isShared(),
  });
  return loopRole('relay', (signal) => relay.run(signal));
}
