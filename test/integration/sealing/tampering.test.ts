import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';

import { type Checkpoint, openCheckpoint, signCheckpoint } from '../../../src/sealing/proofs/checkpoint.js';
import { eventLeaf } from '../../../src/sealing/proofs/event-leaf.js';
import { leafHash } from '../../../src/sealing/proofs/hashes.js';
import { newSigner, SealedLogWorld } from '../../support/sealed-log.js';

/** Checkpoints of 100, 200, … 700 events; two full tiles and one that is not. */
const SIZES = [100, 200, 300, 400, 500, 600, 700];

let world: SealedLogWorld;

beforeAll(async () => {
  world = await SealedLogWorld.create();
  for (const size of SIZES) {
    await world.append(size - (await world.seal()));
    await world.seal();
  }
});

afterAll(() => world.close());

const TABLES = ['es.events', 'es.tiles', 'es.checkpoints'];

/** As the owner can do, past the triggers; undone afterwards. */
async function faultsAfter(
  tamper: string | (() => Promise<unknown>),
  parts: Parameters<SealedLogWorld['check']>[0] = {},
): Promise<readonly string[]> {
  const { ownerPool } = world.database;
  const file = await readFile(world.filePath);
  await ownerPool.query(
    TABLES.map((table) => `create table kept_${table.slice(3)} as select * from ${table};`).join(''),
  );
  await ownerPool.query('alter table es.events disable trigger all');
  try {
    await (typeof tamper === 'string' ? ownerPool.query(tamper) : tamper());
    return (await world.check(parts)).faults;
  } finally {
    await ownerPool.query(
      TABLES.map((table) => {
        const kept = `kept_${table.slice(3)}`;
        return `truncate ${table}; insert into ${table} select * from ${kept}; drop table ${kept};`;
      }).join(''),
    );
    await ownerPool.query('alter table es.events enable always trigger append_only');
    await writeFile(world.filePath, file);
  }
}

const sql = (text: string) => world.database.ownerPool.query(text);

const checkpointOf = async (size: number): Promise<Checkpoint> => {
  const opened = openCheckpoint((await world.checkpoints.covering(size))!.note, [world.signer.verifier]);
  if ('fault' in opened) throw new Error(opened.fault);
  return opened.checkpoint;
};

test('an unmodified log is valid', async () => {
  const report = await world.check();
  // Each checkpoint is in the database, in JetStream and in the file.
  expect(report).toMatchObject({ faultCount: 0, examined: '700 events, 21 checkpoints' });
});

const at333 = (change: string) => `update es.events set ${change} where position = 333`;

test.each([
  ['the stream’s type', at333(`stream_type = 'tasl'`)],
  ['the stream’s id', at333(`stream_id = gen_random_uuid()`)],
  ['the version', at333('version = version + 1000')],
  ['the id', at333('event_id = gen_random_uuid()')],
  ['the type', at333(`type = 'Notee'`)],
  ['the schema version', at333('schema_version = 3')],
  ['the data', at333(`data = '{"note": 31}'`)],
  ['the data, but not its value', at333(`data = '{"note": 32.0}'`)],
  ['a number that no double holds', at333(`data = '{"note": 32.00000000000000000000000000000000001}'`)],
  ['the actor', at333(`metadata = jsonb_set(metadata, '{actor}', '"system:tess"')`)],
  ['a new member of the metadata', at333(`metadata = metadata || '{"worker": "another"}'`)],
  ['the time', at333(`recorded_at = recorded_at + interval '1 millisecond'`)],
])('a change is found, and its position named: %s', async (_, statement) => {
  expect(await faultsAfter(statement)).toEqual(['position 333 was changed']);
});

test.each([
  ['one event', 'position = 333', ['position 333 is missing']],
  ['events of two tiles', 'position between 250 and 300', ['positions 250 to 300 are missing']],
  ['the first events', 'position <= 10', ['positions 1 to 10 are missing']],
])('a deletion is found: %s', async (_, where, faults) => {
  expect(await faultsAfter(`delete from es.events where ${where}`)).toEqual(faults);
});

test('an event in another place is found, and so is what it displaced', async () => {
  const faults = await faultsAfter('update es.events set position = 99999 where position = 333');
  expect(faults).toEqual(['position 333 is missing', 'positions 701 to 99998 are missing']);
});

test('an inserted event is found: all later ones are at other positions', async () => {
  const faults = await faultsAfter(`
    create temp table shifted as select * from es.events where position > 690;
    delete from es.events where position > 690;
    insert into es.events select position + 1, stream_type, stream_id, version, event_id, type, schema_version, data,
      metadata, recorded_at from shifted;
    insert into es.events select 691, stream_type, gen_random_uuid(), version, gen_random_uuid(), type, schema_version, data,
      metadata, recorded_at from shifted limit 1;
    drop table shifted`);
  expect(faults).toEqual(Array.from({ length: 10 }, (_, index) => `position ${691 + index} was changed`));
});

test('two events that were swapped are found', async () => {
  const faults = await faultsAfter(`
    update es.events set position = -1 where position = 100;
    update es.events set position = 100 where position = 101;
    update es.events set position = 101 where position = -1`);
  expect(faults).toEqual(['position 100 was changed', 'position 101 was changed']);
});

const ENDS = (keeper: string) =>
  expect.stringMatching(`the log ends at 650, but ${keeper} has a checkpoint of 700 from `) as string;

test('a log that was cut off at its end is found', async () => {
  const faults = await faultsAfter('delete from es.events where position > 650');
  expect(faults).toEqual(expect.arrayContaining([ENDS('the database'), ENDS(world.stream.name), ENDS(world.filePath)]));
});

/** What a backup from the time of the checkpoint of 600 has. */
const BACKUP = `
  delete from es.events where position > 650;
  delete from es.checkpoints where size > 600;
  update es.tiles set hashes = substr(hashes, 1, 88 * 32) where level = 0 and index = 2`;

test.each([
  ['JetStream', () => world.stream],
  ['a file', () => world.file],
])('a backup that was restored is found, because of %s', async (_, anchor) => {
  expect(await faultsAfter(BACKUP, { anchors: [anchor()] })).toEqual([ENDS(anchor().name)]);
});

test('… and only because of a place outside the database', async () => {
  expect(await faultsAfter(BACKUP, { anchors: [] })).toEqual([]);
});

/** The hash of the forged event, as a sealer would store it. */
async function forgeWithHash(): Promise<void> {
  await sql(`update es.events set data = '{"note": "forged"}' where position = 333`);
  const [forged] = await world.store.readAllStored(332n, 1);
  await world.database.ownerPool.query(
    'update es.tiles set hashes = overlay(hashes placing $1::bytea from 76 * 32 + 1 for 32) where level = 0 and index = 1',
    [leafHash(eventLeaf(forged!))],
  );
}

test('an event that was changed together with its hash is found: two checkpoints enclose it', async () => {
  expect(await faultsAfter(forgeWithHash, { anchors: [] })).toEqual([
    expect.stringMatching(
      /^a position from 301 to 400 is not what the database has a checkpoint of, from .*: it was changed, and its hash too$/,
    ),
  ]);
});

test('a stored hash that was changed is found, and told from a changed event', async () => {
  const faults = await faultsAfter(
    `update es.tiles set hashes = overlay(hashes placing sha256('') from 76 * 32 + 1 for 32) where level = 0 and index = 1`,
  );
  expect(faults).toEqual(['the stored hash of position 333 was changed']);
});

test('a tile of a higher level that was changed is found', async () => {
  expect(await faultsAfter(`update es.tiles set hashes = sha256('') || substr(hashes, 33) where level = 1`)).toEqual([
    'tile 1/0 of the sealed log was changed',
  ]);
});

test('hashes that were deleted are missed', async () => {
  expect(await faultsAfter('delete from es.tiles where level = 0 and index = 1')).toEqual([
    'the stored hash of position 257 is missing',
  ]);
});

test.each([
  [
    'one byte of a note',
    `update es.checkpoints set note = replace(note, '400', '401') where size = 400`,
    /^the checkpoint of 400 events in the database has a wrong signature of localhost\/test$/,
  ],
  [
    'an older note',
    'update es.checkpoints set note = (select note from es.checkpoints where size = 300) where size = 400',
    /^the checkpoint of 400 events in the database is another one$/,
  ],
  [
    'something else',
    `update es.checkpoints set note = 'nothing' where size = 400`,
    /^the checkpoint of 400 events in the database is not a signed note$/,
  ],
])('a checkpoint that was replaced is found: %s', async (_, statement, fault) => {
  expect(await faultsAfter(statement)).toEqual([expect.stringMatching(fault)]);
});

test('a checkpoint that another key signed is found', async () => {
  const forge = async () => {
    const { note } = signCheckpoint({ size: 400, root: leafHash('any') }, new Date(), [newSigner()]);
    await world.database.ownerPool.query('update es.checkpoints set note = $1 where size = 400', [note]);
  };
  expect(await faultsAfter(forge)).toEqual([
    'the checkpoint of 400 events in the database is not signed by a known key',
  ]);
});

test('checkpoints that were deleted are missed', async () => {
  const lacks = (keeper: string) =>
    expect.stringMatching(
      `^the database lacks the checkpoint of 600 from .* that ${keeper} has, and any later one$`,
    ) as string;
  expect(await faultsAfter('delete from es.checkpoints where size > 500')).toEqual([
    lacks(world.stream.name),
    lacks(world.filePath),
  ]);
});

async function rewriteAndSign(): Promise<void> {
  await sql(`update es.events set data = '{"note": "forged"}' where position = 333`);
  await sql('truncate es.tiles, es.checkpoints');
  await world.seal({ anchors: [] });
}

describe('a history that was rewritten and signed again with a stolen key', () => {
  test('agrees with itself', async () => {
    expect(await faultsAfter(rewriteAndSign, { anchors: [] })).toEqual([]);
  });

  test('is found by who kept an older checkpoint', async () => {
    const kept = { checkpoint: await checkpointOf(500), keeper: 'my file' };
    expect(await faultsAfter(rewriteAndSign, { anchors: [], kept })).toEqual([
      expect.stringMatching(/^a position from 1 to 500 is not what my file has a checkpoint of/),
    ]);
    const before = { checkpoint: await checkpointOf(300), keeper: 'my file' };
    expect(await faultsAfter(rewriteAndSign, { anchors: [], kept: before })).toEqual([]);
  });

  test('is found by the anchors, which enclose the position', async () => {
    const fault = (keeper: string) =>
      expect.stringMatching(`^a position from 301 to 400 is not what ${keeper} has`) as string;
    expect(await faultsAfter(rewriteAndSign)).toEqual([fault(world.stream.name), fault(world.filePath)]);
  });
});

test('a check of the new events only trusts the checkpoint, and finds what was changed since', async () => {
  const since = await checkpointOf(300);
  const report = await world.check({ since });
  expect(report).toMatchObject({ faultCount: 0, examined: '400 events, 12 checkpoints' });
  expect(await faultsAfter(at333('version = version + 1000'), { since })).toEqual(['position 333 was changed']);
  expect(await faultsAfter('update es.events set version = version + 1000 where position = 33', { since })).toEqual([]);
});

test('a check since a checkpoint that the log does not contain fails', async () => {
  const since = { ...(await checkpointOf(300)), root: leafHash('another') };
  const fault = `the log does not contain the checkpoint of 300 from ${since.sealedAt}`;
  expect((await world.check({ since })).faults).toEqual([fault]);
  expect((await world.check({ since: { ...since, size: 701 } })).faults).toEqual([fault.replace('300', '701')]);
});

test('lines of a file that are cut off or not signed are ignored, and counted', async () => {
  const spoil = async () => {
    const { size } = await stat(world.filePath);
    await truncate(world.filePath, size - 10);
    const { note } = signCheckpoint({ size: 9_999, root: leafHash('any') }, new Date(), [newSigner()]);
    await appendFile(world.filePath, `\nnothing\n${JSON.stringify({ checkpoint: note })}\n`);
  };
  expect(await faultsAfter(spoil)).toEqual([]);
});
