import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

import type { Config } from '../config/load-config.js';
import {
  ED25519_KEY_BYTES,
  type NoteSigner,
  type NoteVerifier,
  parseVerifier,
  signerOf,
} from '../sealing/proofs/signed-note.js';
import type { SealingKeys } from '../sealing/sealer/sealer.js';

const COMMAND_MS_MAX = 10_000;
/** The key, and its successor while it is replaced. */
const SIGNERS_MAX = 2;

/** The key that signs checkpoints, and those that may have signed them. @throws Error, which shows no key */
export async function sealingKeysOf(config: Config): Promise<SealingKeys> {
  const signers = await signersOf(config);
  return { signers, verifiers: withoutRepeats([...signers.map(({ verifier }) => verifier), ...publicKeysOf(config)]) };
}

/** For a process that may have no private key. */
export async function sealingVerifiersOf(config: Config): Promise<readonly NoteVerifier[]> {
  const isSealer =
    config.SEALER_KEY.length > 0 || config.SEALER_KEY_FILE !== undefined || config.SEALER_KEY_COMMAND !== undefined;
  return isSealer ? (await sealingKeysOf(config)).verifiers : publicKeysOf(config);
}

const publicKeysOf = (config: Config): NoteVerifier[] => config.SEALER_PUBLIC_KEYS.map(parseVerifier);

async function signersOf(config: Config): Promise<NoteSigner[]> {
  const texts = await keyTexts(config);
  const seeds = texts.map((text) => Buffer.from(text, 'base64'));
  if (seeds.length === 0 || seeds.length > SIGNERS_MAX || seeds.some(({ length }) => length !== ED25519_KEY_BYTES)) {
    throw new Error(`the sealer’s key must be ${ED25519_KEY_BYTES} bytes in base64, or two such keys, comma-separated`);
  }
  return seeds.map((seed) => signerOf(config.SEALER_LOG_NAME, seed));
}

async function keyTexts(config: Config): Promise<readonly string[]> {
  const { SEALER_KEY, SEALER_KEY_FILE: path, SEALER_KEY_COMMAND: command } = config;
  if (path !== undefined) return split(await readFile(path, 'utf8'));
  if (command !== undefined) return split(await outputOf(command));
  return SEALER_KEY;
}

const split = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

/** The error of execFile is dropped: it quotes the command, which may contain a secret, and its output. */
const outputOf = (command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', command], { timeout: COMMAND_MS_MAX }, (error, stdout) => {
      if (!error) resolve(stdout);
      else reject(new Error(`SEALER_KEY_COMMAND failed: ${error.signal ?? `exit code ${error.code}`}`));
    });
  });

const withoutRepeats = (verifiers: readonly NoteVerifier[]): NoteVerifier[] => [
  ...new Map(verifiers.map((verifier) => [verifier.text, verifier])).values(),
];
