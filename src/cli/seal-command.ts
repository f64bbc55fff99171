import { Command } from 'commander';

import { anchorsOf } from '../composition/sealer-role.js';
import { sealingKeysOf, sealingVerifiersOf } from '../composition/sealing-keys.js';
import { loadConfig } from '../config/load-config.js';
import { SealedLog } from '../operations/sealed-log/sealed-log.js';
import { confirmRestore } from '../sealing/sealer/confirm-restore.js';
import { CheckpointStore } from '../sealing/sealer/checkpoint-store.js';
import { SealRefused } from '../sealing/sealer/sealed-tree.js';
import { PostgresTiles } from '../sealing/tiles/postgres-tiles.js';
import { type CliContext, withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { Failure } from './failure.js';
import { print } from './output.js';
import { withNats } from './with-nats.js';

export function sealCommand(): Command {
  const seal = new Command('seal').addHelpText('after', HELP);
  seal
    .command('status')
    .description('how much of the log is sealed')
    .action(() => withLog(status));
  seal
    .command('checkpoint')
    .description('print the newest signed checkpoint: keep it where the database’s owner cannot write')
    .action(() =>
      withLog(async (context) => {
        const { note } = await sealedLogOf(context).newest();
        process.stdout.write(note);
      }),
    );
  seal
    .command('keys')
    .description('print the public keys by which checkpoints may be signed, the present one first')
    .action(async () => {
      for (const { text } of await sealingVerifiersOf(loadConfig())) print(text);
    });
  seal
    .command('accept-restore')
    .description('sign that the log was restored from a backup, so that sealing continues; needs the private key')
    .action(() => withLog(acceptRestore));
  return seal;
}

const HELP = `
Examples:
  voidrunner seal status
  voidrunner seal checkpoint >kept.txt     # later: voidrunner verify --checkpoint kept.txt
  voidrunner seal keys`;

const sealedLogOf = ({ config, pool }: CliContext): SealedLog =>
  new SealedLog(new CheckpointStore(pool), new PostgresTiles(pool), () => sealingVerifiersOf(config));

async function status(context: CliContext): Promise<void> {
  const { position: head } = await context.store.head();
  const { size, sealedAt } = await sealedLogOf(context).newest();
  print(`${size} of ${head} events are sealed, the last ones at ${sealedAt}`);
}

/** Every anchor must hear of it: one that keeps a larger checkpoint would stop the sealer again. */
async function acceptRestore(context: CliContext): Promise<void> {
  const { config, pool } = context;
  try {
    const { size, sealedAt } = await withNats(context, async (nats) =>
      confirmRestore({
        checkpoints: new CheckpointStore(pool),
        tiles: new PostgresTiles(pool),
        anchors: anchorsOf(config, nats),
        keys: await sealingKeysOf(config),
      }),
    );
    print(`confirmed at ${sealedAt}: the log was restored to ${size} sealed events`);
  } catch (error) {
    if (error instanceof SealRefused) throw new Failure(error.message, EXIT_FAULTS);
    throw error;
  }
}
