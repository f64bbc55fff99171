import { HASH_BYTES } from './hashes.js';
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './signed-note.js';
import type { TreeHead } from './verify-proofs.js';

const SEALED = 'sealed';
const RESTORED = 'restored';
const TIME_LINE = new RegExp(`^(${SEALED}|${RESTORED}) at (\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)$`);

/**
 * A signed statement about the log: its first `size` events have this root. C2SP tlog-checkpoint, with the time as an
 * extension line. The origin names the log; it is the name of the signing key.
 */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly sealedAt: string;
  /** An operator has confirmed that the log was restored: larger checkpoints from before have no events any more. */
  readonly restored: boolean;
  /** The signed note itself. */
  readonly note: string;
}

/** @param signers the first one names the log */
export function signCheckpoint(
  { size, root }: TreeHead,
  sealedAt: Date,
  signers: readonly NoteSigner[],
  restored = false,
): Checkpoint {
  const origin = signers[0]?.verifier.name;
  if (origin === undefined) throw new Error('a checkpoint needs a signer');
  const time = sealedAt.toISOString();
  const text = `${origin}\n${size}\n${root.toString('base64')}\n${restored ? RESTORED : SEALED} at ${time}\n`;
  return { origin, size, root, sealedAt: time, restored, note: signNote(text, signers) };
}

export type OpenedCheckpoint = { readonly checkpoint: Checkpoint } | { readonly fault: string };

/** Verifies the signatures and parses the text; other extension lines are ignored. */
export function openCheckpoint(note: string, verifiers: readonly NoteVerifier[]): OpenedCheckpoint {
  const opened = openNote(note, verifiers);
  if ('fault' in opened) return opened;
  const [origin = '', size = '', rootText = '', ...extensions] = opened.text.slice(0, -1).split('\n');
  const root = Buffer.from(rootText, 'base64');
  const [, kind, sealedAt] = extensions.map((line) => TIME_LINE.exec(line)).find((parts) => parts !== null) ?? [];
  const isSize = /^(0|[1-9]\d{0,15})$/.test(size) && Number.isSafeInteger(Number(size));
  if (origin === '' || !isSize || root.length !== HASH_BYTES || sealedAt === undefined) {
    return { fault: 'is not a checkpoint of a log' };
  }
  return { checkpoint: { origin, size: Number(size), root, sealedAt, restored: kind === RESTORED, note } };
}
