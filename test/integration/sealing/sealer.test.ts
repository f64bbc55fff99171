import { consistencyProof, inclusionProof } from '../../../src/sealing/proofs/merkle-proofs.js';
import { openCheckpoint, type Checkpoint } from '../../../src/sealing/proofs/checkpoint.js';
import { eventLeaf } from '../../../src/sealing/proofs/event-leaf.js';
import { leafHash } from '../../../src/sealing/proofs/hashes.js';
import { openNote } from '../../../src/sealing/proofs/signed-note.js';
import { isConsistent, isIncluded } from '../../../src/sealing/proofs/verify-proofs.js';
import type { CheckpointAnchor } from '../../../src/sealing/sealer/anchor.js';
import { confirmRestore } from '../../../src/sealing/sealer/confirm-restore.js';
import { SealRefused } from '../../../src/sealing/sealer/sealed-tree.js';
import { LeaderLock } from '../../../src/platform/postgres/leader-lock.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { eventually } from '../../support/eventually.js';
import { listeningLog, newSigner, SealedLogWorld } from '../../support/sealed-log.js';

let world: SealedLogWorld;

beforeEach(async () => {
  world = await SealedLogWorld.create();
});

afterEach(() => world.close());

async function checkpoints(): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  for await (const { note } of world.checkpoints.after(0)) {
    const opened = openCheckpoint(note, [world.signer.verifier]);
    if ('fault' in opened) throw new Error(opened.fault);
    found.push(opened.checkpoint);
  }
  return found;
}

/** Runs a sealer while `work` does. */
async function whileSealing<T>(
  work: () => Promise<T>,
  options: Parameters<SealedLogWorld['sealer']>[0] = {},
): Promise<T> {
  const stopping = new AbortController();
  const running = world.sealer(options).run(stopping.signal);
  try {
    return await work();
  } finally {
    stopping.abort();
    await running;
  }
}

const sql = (text: string, values: unknown[] = []) => world.database.ownerPool.query(text, values);

test('each event is proven to be in the checkpoint that covers it, by what is stored of it', async () => {
  await world.append(150);
  await world.seal();
  await world.append(450);
  await world.seal();
  const events = await world.store.readAllStored(0n, 1_000);
  expect(events).toHaveLength(600);
  const all = await checkpoints();
  for (const event of events) {
    const position = Number(event.position);
    const stored = (await world.checkpoints.covering(position))!;
    const checkpoint = all.find(({ size }) => size === stored.size);
    const proof = await inclusionProof(position - 1, stored.size, world.tiles.subtrees);
    expect(isIncluded(leafHash(eventLeaf(event)), position - 1, stored.size, proof, checkpoint!.root)).toBe(true);
  }
});

test('each checkpoint is proven to be the beginning of the later ones', async () => {
  for (const events of [1, 255, 1, 300]) {
    await world.append(events);
    await world.seal();
  }
  const found = await checkpoints();
  expect(found.map(({ size }) => size)).toEqual([1, 256, 257, 557]);
  for (const [index, newer] of found.entries()) {
    for (const older of found.slice(0, index)) {
      const proof = await consistencyProof(older.size, newer.size, world.tiles.subtrees);
      expect(isConsistent(older, newer, proof)).toBe(true);
    }
  }
});

test('two sealers at once seal each event once', async () => {
  const lock = new LeaderLock({ name: 'another', postgres: world.database.app, log: silentLog, retryIntervalMs: 20 });
  const { log, lines } = listeningLog();
  await whileSealing(
    () =>
      whileSealing(
        async () => {
          for (let round = 0; round < 20; round += 1) await world.append(60);
          await eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(1_200));
        },
        { lock, log, intervalMs: 1 },
      ),
    { log },
  );
  expect(lines).toEqual([]);
  const { rows } = await sql('select size::int, previous_size::int as previous from es.checkpoints order by size');
  expect(rows.map(({ previous }: { previous: number }) => previous)).toEqual([
    0,
    ...rows.slice(0, -1).map(({ size }: { size: number }) => size),
  ]);
  expect((await world.check()).faults).toEqual([]);
});

test('a standby continues where the leader stopped', async () => {
  await world.append(100);
  const stopping = new AbortController();
  const leader = world.sealer().run(stopping.signal);
  await eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(100));
  await whileSealing(async () => {
    stopping.abort();
    await leader;
    await world.append(100);
    await eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(200));
  });
  expect((await world.check()).faults).toEqual([]);
});

test('while a key is replaced, both sign; checkpoints of the old key stay valid if it is known', async () => {
  await world.append(10);
  await world.seal();
  const next = newSigner();
  const both = [world.signer, next];
  const verifiers = both.map(({ verifier }) => verifier);
  await world.append(10);
  await world.seal({ keys: () => Promise.resolve({ signers: both, verifiers }) });
  await world.append(10);
  await world.seal({ keys: () => Promise.resolve({ signers: [next], verifiers }) });
  const notes: string[] = [];
  for await (const { note } of world.checkpoints.after(0)) notes.push(note);
  expect(notes.map((note) => openNote(note, verifiers))).toMatchObject([
    { signedBy: [verifiers[0]] },
    { signedBy: verifiers },
    { signedBy: [verifiers[1]] },
  ]);
  expect((await world.check({ verifiers })).faults).toEqual([]);
  expect((await world.check({ verifiers: [next.verifier] })).faults).toEqual([
    'the checkpoint of 10 events in the database is not signed by a known key',
  ]);
});

/** Starts a sealer and waits for its refusal. */
async function refusalOf(options: Parameters<SealedLogWorld['sealer']>[0] = {}): Promise<string | undefined> {
  const { log, lines } = listeningLog();
  const refusals: boolean[] = [];
  const before = await world.checkpoints.newest();
  await whileSealing(() => eventually(() => expect(refusals).toContain(true)), {
    log,
    onRefusal: (refused) => refusals.push(refused),
    ...options,
  });
  expect(await world.checkpoints.newest()).toEqual(before);
  return lines.find(([level, message]) => level === 'error' && message === 'sealing refused')?.[2];
}

describe('nothing is signed that contradicts what was signed before', () => {
  beforeEach(async () => {
    await world.append(300);
    await world.seal();
    await world.append(10);
  });

  test.each([
    [
      'hashes were changed',
      `update es.tiles set hashes = sha256('') where level = 1`,
      'the hashes of the sealed log do not fit the newest checkpoint',
    ],
    [
      'hashes were deleted',
      'delete from es.tiles where level = 0',
      'the sealed log is incomplete: tile 0/1 is missing, or has fewer than 44 hashes',
    ],
    [
      'the checkpoint was changed',
      `update es.checkpoints set note = replace(note, 'sealed', 'Sealed')`,
      'the newest checkpoint has a wrong signature of localhost/test',
    ],
  ])('%s', async (_, statement, refusal) => {
    await sql(statement);
    expect(await refusalOf()).toBe(refusal);
  });

  test('the key is another one', async () => {
    const signer = newSigner();
    const keys = () => Promise.resolve({ signers: [signer], verifiers: [signer.verifier] });
    expect(await refusalOf({ keys })).toBe('the newest checkpoint is not signed by a known key');
  });

  test('an event is missing before it was sealed', async () => {
    await sql('alter table es.events disable trigger all');
    await sql('delete from es.events where position = 305');
    expect(await refusalOf()).toBe('events between 300 and 310 are missing');
  });

  test('the log was signed again with the stolen key', async () => {
    await sql('alter table es.events disable trigger all');
    await sql('truncate es.tiles, es.checkpoints');
    await sql(`update es.events set version = version + 1000 where position = 7`);
    await whileSealing(() => eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(310)), {
      anchors: [],
    });
    expect(await refusalOf({ anchors: [world.stream] })).toBe(
      `the sealed log does not contain the checkpoint of 300 that ${world.stream.name} has`,
    );
  });

  test('it was restored from a backup: an operator confirms it, and sealing continues', async () => {
    await world.seal();
    await sql('alter table es.events disable trigger all');
    await sql('delete from es.events where position > 300');
    await sql('delete from es.checkpoints where size > 300');
    const { sealedAt } = await newestOf(world.stream);
    expect(await refusalOf()).toBe(
      `300 events are sealed, but ${world.stream.name} has a checkpoint of 310 from ${sealedAt}: ` +
        'the log was cut off, or restored from a backup (voidrunner seal accept-restore)',
    );
    const { checkpoints: store, tiles, stream, file, signer } = world;
    const keys = { signers: [signer], verifiers: [signer.verifier] };
    const confirmed = await confirmRestore({ checkpoints: store, tiles, anchors: [stream, file], keys });
    expect(confirmed).toMatchObject({ size: 300, restored: true });
    await world.append(5);
    await world.seal();
    const report = await world.check();
    expect(report.faults).toEqual([]);
    expect(report.examined).toContain(`restored to 300 events at ${confirmed.sealedAt}`);
  });

  test('a restore of something else is not confirmed', async () => {
    await sql(`update es.tiles set hashes = sha256('') where level = 1`);
    const { checkpoints: store, tiles, stream, signer } = world;
    const keys = { signers: [signer], verifiers: [signer.verifier] };
    await expect(confirmRestore({ checkpoints: store, tiles, anchors: [stream], keys })).rejects.toThrow(SealRefused);
  });
});

async function newestOf(anchor: CheckpointAnchor): Promise<Checkpoint> {
  const opened = openCheckpoint((await anchor.newest())!, [world.signer.verifier]);
  if ('fault' in opened) throw new Error(opened.fault);
  return opened.checkpoint;
}

test('an anchor that fails stops nothing, is reported once, and has the newest checkpoint when it works again', async () => {
  const { log, lines } = listeningLog();
  let failing = true;
  const published: number[] = [];
  const anchor: CheckpointAnchor = {
    name: 'an anchor',
    publish: ({ size }) => {
      if (failing) return Promise.reject(new Unavailable('nats', 'away'));
      published.push(size);
      return Promise.resolve();
    },
    notes: () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
    }),
    newest: () => Promise.reject(new Unavailable('nats', 'away')),
  };
  await whileSealing(
    async () => {
      for (const size of [10, 20, 30]) {
        await world.append(10);
        await eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(size));
      }
      failing = false;
      await world.append(10);
      await eventually(() => expect(published).toEqual([40]));
    },
    { anchors: [anchor], log },
  );
  expect(lines).toEqual([['warn', 'checkpoints are not kept outside the database', 'away']]);
});

test('a log that is far behind is sealed in parts', async () => {
  await world.append(40_000);
  await whileSealing(
    () => eventually(async () => expect((await world.checkpoints.newest())?.size).toBe(40_000), { timeoutMs: 30_000 }),
    {
      intervalMs: 3_600_000,
    },
  );
  expect((await checkpoints()).map(({ size }) => size)).toEqual([16_384, 32_768, 40_000]);
});

test('of old checkpoints, the last one of each hour is kept', async () => {
  for (const size of [10, 20, 30, 40]) {
    await world.append(size - (await world.seal()));
    await world.seal();
  }
  const at = (size: number, time: string) =>
    sql('update es.checkpoints set sealed_at = $1 where size = $2', [time, size]);
  await at(10, '2026-01-01T10:10:00Z');
  await at(20, '2026-01-01T10:50:00Z');
  await at(30, '2026-01-01T11:10:00Z');
  await world.checkpoints.thin(new Date('2026-02-01'));
  expect((await checkpoints()).map(({ size }) => size)).toEqual([20, 30, 40]);
});
