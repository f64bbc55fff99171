import { Command } from 'commander';

import { masterKeysOf } from '../composition/secrets.js';
import { rotateDataKeys, type Rotation } from '../platform/payloads/key-rotation.js';
import { withLog } from './cli-context.js';
import { EXIT_FAULTS } from './exit-codes.js';
import { print, warn } from './output.js';

export function keysCommand(): Command {
  const keys = new Command('keys');
  keys
    .command('status')
    .description('count the data keys that are wrapped with PAYLOAD_MASTER_KEY and with other keys')
    .action(() => rotate(false));
  keys
    .command('rotate')
    .description('rewrap every data key with PAYLOAD_MASTER_KEY; the service may run; repeat it if interrupted')
    .action(() => rotate(true));
  return keys;
}

const rotate = (change: boolean): Promise<void> =>
  withLog(async ({ pool, config }) => report(await rotateDataKeys(pool, masterKeysOf(config), change)));

/** Exit code 1 if other keys are still needed. */
function report({ current, rewrapped, others, unreadable }: Rotation): void {
  print(`${current} data keys are wrapped with PAYLOAD_MASTER_KEY, ${rewrapped} of them rewrapped now`);
  if (others > 0) print(`${others} with a key of PAYLOAD_MASTER_KEYS_ACCEPTED: run "voidrunner keys rotate"`);
  for (const owner of unreadable) warn(`user-${owner}: no configured key decrypts this data key`);
  if (others + unreadable.length > 0) process.exitCode = EXIT_FAULTS;
}
