import { ORCHESTRATOR, PROJECTOR, WEBHOOKS } from '../composition/postgres-options.js';
import { orchestratorProjections, projectorProjections, webhooksProjections } from '../composition/projections.js';
import { anchorsOf } from '../composition/sealer-role.js';
import { sealingVerifiersOf } from '../composition/sealing-keys.js';
import type { RecordedEvent } from '../event-sourcing/core/event.js';
import { EventsStream } from '../event-sourcing/relay/events-stream.js';
import { leastCheckpoint } from '../event-sourcing/subscription/checkpoint-store.js';
import { Unavailable } from '../kernel/errors.js';
import { checkContents } from '../operations/audit/check-contents.js';
import { checkPositions, checkVersions } from '../operations/audit/check-order.js';
import { checkSealedLog } from '../operations/audit/check-sealed-log.js';
import { checkStream } from '../operations/audit/check-stream.js';
import { checkView } from '../operations/audit/check-view.js';
import type { CheckReport } from '../operations/audit/finding.js';
import type { KeptCheckpoint } from '../operations/audit/kept-checkpoints.js';
import { delay } from '../platform/async/delay.js';
import type { NatsLink } from '../platform/nats/nats-link.js';
import { type Checkpoint, openCheckpoint } from '../sealing/proofs/checkpoint.js';
import type { NoteVerifier } from '../sealing/proofs/signed-note.js';
import { CheckpointStore } from '../sealing/sealer/checkpoint-store.js';
import { PostgresTiles } from '../sealing/tiles/postgres-tiles.js';
import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import { LifecycleInvariant } from '../tasks/domain/lifecycle-invariant.js';
import type { CliContext } from './cli-context.js';
import { withNats } from './with-nats.js';

const LAG_POLL_MS = 50;

export interface Examination {
  /** Everything is checked up to here: the log's end when the check started. */
  readonly head: bigint;
  /** The newest in the database; null if nothing is sealed, or if it is not signed by a known key. */
  readonly checkpoint: Checkpoint | null;
  /** The views did not reach `head` in time. */
  readonly lagging: boolean;
  readonly reports: readonly CheckReport[];
}

export interface ExaminationOptions {
  readonly wait: number;
  readonly nats: boolean;
  /** Default: those of the settings. */
  readonly verifiers?: readonly NoteVerifier[];
  /** Trusted: only later events are checked, and no view. */
  readonly since?: Checkpoint | undefined;
  readonly kept?: KeptCheckpoint | undefined;
}

/** By the subscription whose checkpoint they advance with. */
const PROJECTIONS = {
  [PROJECTOR]: projectorProjections,
  [ORCHESTRATOR]: orchestratorProjections,
  [WEBHOOKS]: webhooksProjections,
};

/** @throws Unavailable */
export async function examine(context: CliContext, options: ExaminationOptions): Promise<Examination> {
  if (!options.nats) return examineWith(context, options, null);
  return withNats(context, (nats, connected) => {
    if (!connected) throw new Unavailable('nats', 'NATS does not respond (--no-nats skips it)');
    return examineWith(context, options, nats);
  });
}

async function examineWith(
  context: CliContext,
  options: ExaminationOptions,
  nats: NatsLink | null,
): Promise<Examination> {
  const { config, pool, store, catalog } = context;
  const { since, kept, verifiers = await sealingVerifiersOf(config) } = options;
  const head = await store.head();
  const deadline = Date.now() + options.wait * 1_000;
  const lagging = since === undefined && !(await viewsReach(context, head.position, deadline));
  const checkpoints = new CheckpointStore(pool);
  const tiles = new PostgresTiles(pool);
  const after = BigInt(since?.size ?? 0);
  const anchors = anchorsOf(config, nats);
  const contents = { log: store, pool, catalog, invariant: lifecycleInvariant(), head: head.position, after };
  const reports = [
    await checkPositions(pool, head.position, after),
    await checkSealedLog({ log: store, tiles, store: checkpoints, anchors, verifiers, kept, since }),
    ...(await checkContents(contents)),
  ];
  if (since === undefined) {
    reports.push(await checkVersions(pool, head.position));
    for (const [subscription, projections] of Object.entries(PROJECTIONS)) {
      for (const projection of projections) reports.push(await checkView(pool, catalog, projection, subscription));
    }
    if (nats) reports.push(await verifyStream(context, nats, head, deadline));
  }
  const newest = await checkpoints.newest();
  const opened = newest && openCheckpoint(newest.note, verifiers);
  return {
    head: head.position,
    checkpoint: opened && 'checkpoint' in opened ? opened.checkpoint : null,
    lagging,
    reports,
  };
}

async function viewsReach({ pool }: CliContext, head: bigint, deadline: number): Promise<boolean> {
  for (;;) {
    if ((await leastCheckpoint(pool, [PROJECTOR, ORCHESTRATOR])) >= head) return true;
    if (Date.now() > deadline) return false;
    await delay(LAG_POLL_MS);
  }
}

async function verifyStream(
  { config, store }: CliContext,
  nats: NatsLink,
  head: { position: bigint; epoch: number },
  deadline: number,
): Promise<CheckReport> {
  const stream = new EventsStream({ nats, prefix: config.NATS_STREAM_PREFIX, bytesMax: config.NATS_EVENTS_MAX_BYTES });
  for (;;) {
    const tail = (await stream.info()) && (await stream.tail());
    if ((tail?.message?.position ?? 0n) >= head.position || Date.now() > deadline) break;
    await delay(LAG_POLL_MS);
  }
  return await checkStream(store, nats, stream, { head: head.position, epoch: head.epoch });
}

function lifecycleInvariant(): (event: RecordedEvent) => string | null {
  const invariant = new LifecycleInvariant();
  return ({ stream, type }) =>
    stream.type === 'execution' ? invariant.see(stream.id, type as ExecutionEvent['type']) : null;
}
