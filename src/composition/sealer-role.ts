import type { Config } from '../config/load-config.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import { LeaderLock } from '../platform/postgres/leader-lock.js';
import type { CheckpointAnchor } from '../sealing/sealer/anchor.js';
import { AnchorFile } from '../sealing/sealer/anchor-file.js';
import { CheckpointStore } from '../sealing/sealer/checkpoint-store.js';
import { CheckpointStream } from '../sealing/sealer/checkpoint-stream.js';
import { Sealer } from '../sealing/sealer/sealer.js';
import { PostgresTiles } from '../sealing/tiles/postgres-tiles.js';
import type { Infrastructure } from './infrastructure.js';
import { postgresOptions } from './postgres-options.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { sealingKeysOf } from './sealing-keys.js';

/** Where checkpoints are kept outside the database. @param nats null: without JetStream */
export const anchorsOf = (config: Config, nats: NatsLink | null): CheckpointAnchor[] => [
  ...(nats ? [new CheckpointStream({ nats, prefix: config.NATS_STREAM_PREFIX })] : []),
  ...(config.SEALER_ANCHOR_FILE === undefined ? [] : [new AnchorFile(config.SEALER_ANCHOR_FILE)]),
];

/** Seals the log. */
export function createSealerRole({ config, log, pool, nats, observations }: Infrastructure): RoleProcess {
  const sealer = new Sealer({
    pool,
    lock: new LeaderLock({ name: 'sealer', postgres: postgresOptions(config, 'sealer lead'), log }),
    checkpoints: new CheckpointStore(pool),
    tiles: new PostgresTiles(pool),
    anchors: anchorsOf(config, nats),
    keys: () => sealingKeysOf(config),
    log,
    onRefusal: (refused) => {
      observations.sealingRefused = refused;
    },
  });
  return loopRole('sealer', (signal) => sealer.run(signal));
}
