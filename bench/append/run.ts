/**
 * Question: what does the log cost, compared with the minimum of any service: one plain INSERT per transaction?
 * Same server, same run, same pool size, same table shape and indexes; rounds interleaved; medians. Each contender
 * warms up with the number of callers it is measured with. Many short rounds, and a ratio within each round, because
 * the speed of a virtual machine's disk changes within seconds. The target refers to the INSERT as pg sends it; the
 * INSERT that is prepared by hand is for comparison.
 * Run: npm run bench -- append   (ROUNDS=15 ROUND_MS=600 WARM_UP_MS=15000 by default)
 */
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

import { newId } from '../../src/kernel/uuid.js';
import { createTestDatabase } from '../../test/support/database.js';
import { median } from '../figures.js';
import { type Contender, eventStore, plainInsert } from './contenders.js';

if (existsSync('.voidrunner/dev.env')) process.loadEnvFile('.voidrunner/dev.env');

const ROUNDS = Number(process.env.ROUNDS ?? 15);
const ROUND_MS = Number(process.env.ROUND_MS ?? 600);
/**
 * Like a service that has been up for a while: its code is compiled, and its connection has touched the server's shared
 * memory, which costs a page fault per page. In one run of 16 callers, appends jumped from 13,600 to 17,400/s when 256
 * MB of shared buffers had been written; the INSERTs, whose ten connections share those faults, rose by 5 %.
 */
const WARM_UP_MS = Number(process.env.WARM_UP_MS ?? 15_000);
const POOL_SIZE = Number(process.env.DB_POOL_SIZE ?? 10);
const TARGETS = new Map([
  [1, 1],
  [16, 3],
  [64, 5],
]);

type Kind = 'new' | 'existing';

/** @returns appends per second */
async function round(contender: Contender, callers: number, kind: Kind, roundMs = ROUND_MS): Promise<number> {
  const start = performance.now();
  const counts = await Promise.all(
    Array.from({ length: callers }, async () => {
      let stream = { type: 'task' as const, id: newId() };
      let count = 0;
      for (; performance.now() - start < roundMs; count += 1) {
        if (kind === 'new') stream = { type: 'task', id: newId() };
        await contender.append(stream, kind === 'new' ? 0 : count);
      }
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - start) / 1_000);
}

const rotated = (order: number[], by: number): number[] => {
  const shifted = order.map((_, place) => order[(place + by) % order.length]!);
  return by % 2 === 0 ? shifted : shifted.toReversed();
};

async function compare(contenders: Contender[], callers: number, kind: Kind): Promise<boolean> {
  const rates = contenders.map((): number[] => []);
  for (const contender of contenders) await round(contender, callers, kind);
  for (let index = 0; index < ROUNDS; index += 1) {
    // A contender pays for disk work that the previous one left behind: so each one follows each other one.
    for (const which of rotated([...contenders.keys()], index)) {
      rates[which]!.push(await round(contenders[which]!, callers, kind));
    }
  }
  const [ours = 0, plain = 0, prepared = 0] = rates.map(median);
  // The median of the rounds' ratios, not the ratio of the medians: a slow minute slows all three.
  const [, toPlain = 0, toPrepared = 0] = rates.map((theirs) =>
    median(theirs.map((rate, of) => rates[0]![of]! / rate)),
  );
  const target = TARGETS.get(callers) ?? 1;
  const met = toPlain >= target;
  const cells = [
    String(callers).padStart(7),
    kind.padEnd(8),
    ours.toFixed(0).padStart(11),
    plain.toFixed(0).padStart(12),
    `${toPlain.toFixed(2)}x`.padStart(6),
    prepared.toFixed(0).padStart(15),
    `${toPrepared.toFixed(2)}x`.padStart(6),
    `>= ${target}x ${met ? 'met' : 'MISSED'}`,
  ];
  console.log(cells.join('  '));
  return met;
}

const database = await createTestDatabase();
const contenders = [
  eventStore(database, database.appPool),
  await plainInsert(database, { poolSize: POOL_SIZE, prepared: false }),
  await plainInsert(database, { poolSize: POOL_SIZE, prepared: true }),
];
try {
  console.log(`appends/s, medians of ${ROUNDS} rounds of ${ROUND_MS} ms, pool of ${POOL_SIZE}`);
  console.log(`load average at the start: ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`);
  for (const contender of contenders) await round(contender, 64, 'new', WARM_UP_MS);
  console.log('callers  streams   event store  plain INSERT   ratio  prepared INSERT   ratio  target');
  const met: boolean[] = [];
  for (const callers of TARGETS.keys()) {
    for (const kind of ['new', 'existing'] as const) met.push(await compare(contenders, callers, kind));
  }
  process.exitCode = met.every(Boolean) ? 0 : 1;
} finally {
  for (const contender of contenders) await contender.close();
  await database.drop();
}
