import { readFile } from 'node:fs/promises';

import { Command, InvalidArgumentError } from 'commander';

import { sealingVerifiersOf } from '../composition/sealing-keys.js';
import type { CheckReport } from '../operations/audit/finding.js';
import { reportingOutages } from '../platform/postgres/outage.js';
import { type Checkpoint, openCheckpoint } from '../sealing/proofs/checkpoint.js';
import { type NoteVerifier, parseVerifier } from '../sealing/proofs/signed-note.js';
import { type CliContext, withLog } from './cli-context.js';
import { examine } from './examination.js';
import { EXIT_FAULTS, EXIT_UNABLE } from './exit-codes.js';
import { Failure } from './failure.js';
import { print, warn } from './output.js';
import { wholeNumberArgument } from './whole-number.js';

const WAIT_SECONDS_DEFAULT = 10;

interface VerifyOptions {
  readonly wait: number;
  readonly nats: boolean;
  readonly since?: string;
  readonly checkpoint?: string;
  readonly key: readonly NoteVerifier[];
  readonly json?: true;
}

export const verifyCommand = (): Command =>
  new Command('verify')
    .option(
      '--wait <seconds>',
      'how long to wait for the views and JetStream to reach the log’s current end',
      wholeNumberArgument,
      WAIT_SECONDS_DEFAULT,
    )
    .option('--no-nats', 'do not check JetStream')
    .option('--since <file>', 'trust the checkpoint in this file, and check only the events after it')
    .option('--checkpoint <file>', 'require that the log contains the checkpoint in this file')
    .option('--key <public key>', 'a key that may have signed checkpoints, besides those of the settings', addKey, [])
    .option('--json', 'print the reports as JSON')
    .addHelpText('after', HELP)
    .action((options: VerifyOptions) => withLog((context) => reportingOutages(() => verify(context, options))));

const HELP = `
Examples:
  voidrunner verify
  voidrunner seal checkpoint >kept.txt     # then keep the file where the database’s owner cannot write
  voidrunner verify --checkpoint kept.txt
  voidrunner verify --since kept.txt

Exit codes: 0 no faults, 1 faults found, 2 could not check, 64 usage error.`;

async function verify(context: CliContext, options: VerifyOptions): Promise<void> {
  const { since, checkpoint: kept, ...others } = options;
  const verifiers = [...(await sealingVerifiersOf(context.config)), ...options.key];
  const { head, checkpoint, lagging, reports } = await examine(context, {
    ...others,
    verifiers,
    since: since === undefined ? undefined : await readCheckpoint(since, verifiers),
    kept: kept === undefined ? undefined : { keeper: kept, checkpoint: await readCheckpoint(kept, verifiers) },
  });
  const newest = checkpoint && { size: checkpoint.size, sealed_at: checkpoint.sealedAt };
  if (options.json) print(JSON.stringify({ head: String(head), checkpoint: newest, lagging, reports }, null, 2));
  else print([textOf(reports), ...(newest ? [`sealed ${newest.size} events at ${newest.sealed_at}`] : [])].join('\n'));
  if (lagging) warn(`the views are still behind position ${head} after ${options.wait} s`);
  if (reports.some(({ faultCount }) => faultCount > 0)) process.exitCode = EXIT_FAULTS;
  else if (lagging) process.exitCode = EXIT_UNABLE;
}

/** A checkpoint that was kept. @throws Failure */
async function readCheckpoint(path: string, verifiers: readonly NoteVerifier[]): Promise<Checkpoint> {
  const note = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${path} cannot be read: ${error.message}`, EXIT_UNABLE);
  });
  const opened = openCheckpoint(note, verifiers);
  if ('fault' in opened) throw new Failure(`${path} ${opened.fault}`, EXIT_FAULTS);
  return opened.checkpoint;
}

function addKey(text: string, keys: readonly NoteVerifier[]): NoteVerifier[] {
  try {
    return [...keys, parseVerifier(text)];
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

function textOf(reports: readonly CheckReport[]): string {
  return reports
    .flatMap(({ check, examined, faultCount, faults }) => [
      `${faultCount === 0 ? 'ok   ' : 'FAULT'}  ${check} (${examined})`,
      ...faults.map((fault) => `         ${fault}`),
      ...(faultCount > faults.length ? [`         … and ${faultCount - faults.length} more`] : []),
    ])
    .join('\n');
}
