/**
 * Question: how fast are the views rebuilt from the log, with the service's own events and views?
 * Peer: the same fold with a load and a write per event, like a projector without batches; on a part of the log.
 * Run: npm run bench -- rebuild   (EVENTS=100000 ROUNDS=5 by default)
 */
import { existsSync } from 'node:fs';

import { createEventCatalog } from '../../src/composition/event-catalog.js';
import { projectorProjections } from '../../src/composition/projections.js';
import type { RecordedEvent } from '../../src/event-sourcing/core/event.js';
import { upcastEvent } from '../../src/event-sourcing/core/stored-event.js';
import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { ProjectionRebuild } from '../../src/event-sourcing/projection/projection-rebuild.js';
import { ProjectionTable } from '../../src/event-sourcing/projection/projection-table.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import { createTestDatabase } from '../../test/support/database.js';
import { median } from '../figures.js';
import { appendHistory } from './history.js';

if (existsSync('.voidrunner/dev.env')) process.loadEnvFile('.voidrunner/dev.env');

const EVENTS = Number(process.env.EVENTS ?? 100_000);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const PEER_EVENTS = 4_000;
const PEER_COMMIT_EVENTS = 500;
const TARGET_EVENTS_PER_S = 50_000;

const catalog = createEventCatalog();
const database = await createTestDatabase();
const store = new PostgresEventStore({ postgres: database.app, pool: database.appPool, catalog, log: silentLog });

/** @returns events per second */
async function rebuild(): Promise<number> {
  const { events, elapsedMs } = await new ProjectionRebuild({
    pool: database.ownerPool,
    events: store,
    catalog,
    projections: projectorProjections,
    subscription: 'projector',
    log: silentLog,
  }).rebuild();
  return (events / elapsedMs) * 1_000;
}

/** @returns events per second */
async function eventByEvent(): Promise<number> {
  const tables = projectorProjections.map((projection) => new ProjectionTable(projection));
  const client = await database.ownerPool.connect();
  try {
    for (const { projection } of tables) await client.query(`truncate read.${projection.table}`);
    const startedAt = performance.now();
    const events: RecordedEvent[] = (await store.readAllStored(0n, PEER_EVENTS)).map((raw) =>
      upcastEvent(catalog, raw),
    );
    for (let index = 0; index < events.length; index += PEER_COMMIT_EVENTS) {
      await client.query('begin; set local synchronous_commit = off');
      for (const event of events.slice(index, index + PEER_COMMIT_EVENTS)) {
        for (const table of tables) await table.apply(client, [event]);
      }
      await client.query('commit');
    }
    return (events.length / (performance.now() - startedAt)) * 1_000;
  } finally {
    client.release();
  }
}

try {
  await appendHistory(store, EVENTS);
  await database.ownerPool.query('analyze es.events');
  const rates = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.peer.push(await eventByEvent());
    rates.ours.push(await rebuild());
  }
  const [ours, peer] = [median(rates.ours), median(rates.peer)];
  console.log(`rebuild of ${EVENTS} events, medians of ${ROUNDS} rounds`);
  console.log(`rebuild, with swap     ${ours.toFixed(0).padStart(8)} events/s`);
  console.log(`event by event         ${peer.toFixed(0).padStart(8)} events/s`);
  console.log(`ratio                  ${(ours / peer).toFixed(1).padStart(8)}x`);
  const met = ours >= TARGET_EVENTS_PER_S;
  console.log(`target                 ${String(TARGET_EVENTS_PER_S).padStart(8)} events/s  ${met ? 'met' : 'MISSED'}`);
  if (!met) process.exitCode = 1;
} finally {
  await store.close();
  await database.drop();
}
