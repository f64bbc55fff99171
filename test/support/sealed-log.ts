import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { checkSealedLog, type SealedLogParts } from '../../src/operations/audit/check-sealed-log.js';
import type { CheckReport } from '../../src/operations/audit/finding.js';
import type { NatsLink } from '../../src/platform/nats/nats-link.js';
import { LeaderLock } from '../../src/platform/postgres/leader-lock.js';
import { type Log, silentLog } from '../../src/platform/telemetry/log.js';
import { type NoteSigner, signerOf } from '../../src/sealing/proofs/signed-note.js';
import { AnchorFile } from '../../src/sealing/sealer/anchor-file.js';
import { CheckpointStore } from '../../src/sealing/sealer/checkpoint-store.js';
import { CheckpointStream } from '../../src/sealing/sealer/checkpoint-stream.js';
import { Sealer, type SealerOptions } from '../../src/sealing/sealer/sealer.js';
import { PostgresTiles } from '../../src/sealing/tiles/postgres-tiles.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { connectedLink, deleteStreams, uniquePrefix } from './nats.js';
import { newStream, sampleCatalog, sampleMetadata, write } from './sample-events.js';

const APPEND_EVENTS = 100;

export const newSigner = (): NoteSigner => signerOf('localhost/test', randomBytes(32));

/** A log of sample events with its sealed log, on real services. */
export class SealedLogWorld {
  readonly checkpoints: CheckpointStore;
  readonly tiles: PostgresTiles;
  readonly stream: CheckpointStream;
  readonly file: AnchorFile;

  private constructor(
    readonly database: TestDatabase,
    readonly store: PostgresEventStore,
    readonly nats: NatsLink,
    readonly prefix: string,
    readonly folder: string,
    readonly signer: NoteSigner,
  ) {
    this.checkpoints = new CheckpointStore(database.appPool);
    this.tiles = new PostgresTiles(database.appPool);
    this.stream = new CheckpointStream({ nats, prefix });
    this.file = new AnchorFile(this.filePath, 0);
  }

  static async create(): Promise<SealedLogWorld> {
    const database = await createTestDatabase();
    const { app: postgres, appPool: pool } = database;
    const store = new PostgresEventStore({ postgres, pool, catalog: sampleCatalog, log: silentLog });
    const folder = await mkdtemp(join(tmpdir(), 'sealed-log-'));
    return new SealedLogWorld(database, store, await connectedLink(), uniquePrefix(), folder, newSigner());
  }

  get filePath(): string {
    return join(this.folder, 'checkpoints.ndjson');
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.nats.close();
    await deleteStreams(this.prefix);
    await rm(this.folder, { recursive: true });
    await this.database.drop();
  }

  /** Events of streams of their own, in appends of a hundred. */
  async append(events: number): Promise<void> {
    for (let left = events; left > 0; left -= APPEND_EVENTS) {
      const amounts = Array.from({ length: Math.min(left, APPEND_EVENTS) }, (_, index) => index);
      await this.store.append([write(newStream(), 0, ...amounts)], sampleMetadata);
    }
  }

  sealer(options: Partial<SealerOptions> = {}): Sealer {
    const { checkpoints, tiles, signer, database } = this;
    return new Sealer({
      pool: database.appPool,
      lock: new LeaderLock({ name: 'sealer', postgres: database.app, log: silentLog, retryIntervalMs: 20 }),
      checkpoints,
      tiles,
      anchors: [this.stream, this.file],
      keys: () => Promise.resolve({ signers: [signer], verifiers: [signer.verifier] }),
      log: silentLog,
      intervalMs: 5,
      ...options,
    });
  }

  /** Runs a sealer until the log is sealed. @returns the size of the newest checkpoint */
  async seal(options: Partial<SealerOptions> = {}): Promise<number> {
    const stopping = new AbortController();
    const running = this.sealer(options).run(stopping.signal);
    const { position } = await this.store.head();
    try {
      await eventually(async () => {
        expect((await this.checkpoints.newest())?.size).toBe(position > 0n ? Number(position) : undefined);
        for (const anchor of options.anchors ?? [this.stream, this.file]) {
          expect(await anchor.newest()).toEqual((await this.checkpoints.newest())?.note ?? null);
        }
      });
    } finally {
      stopping.abort();
      await running;
    }
    return Number(position);
  }

  check(parts: Partial<SealedLogParts> = {}): Promise<CheckReport> {
    const { store: log, tiles, checkpoints: store, stream, file, signer } = this;
    return checkSealedLog({ log, tiles, store, anchors: [stream, file], verifiers: [signer.verifier], ...parts });
  }
}

/** A log that keeps what it is told. */
export function listeningLog(): {
  readonly log: Log;
  readonly lines: [level: string, message: string, error?: string][];
} {
  const lines: [string, string, string?][] = [];
  const at =
    (level: string) =>
    (fields: unknown, message: string): void => {
      const error = (fields as { err?: Error }).err?.message;
      lines.push(error === undefined ? [level, message] : [level, message, error]);
    };
  return { log: Object.assign(Object.create(silentLog) as Log, { warn: at('warn'), error: at('error') }), lines };
}
