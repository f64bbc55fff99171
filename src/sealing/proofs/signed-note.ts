import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/*
 * Signed notes (C2SP signed-note): a text, a blank line, and signature lines `— <name> <base64>`, where the base64 has a
 * hash of the key and an Ed25519 signature over the text. Public keys are texts as in Go's golang.org/x/mod/sumdb/note.
 */

const ED25519 = 1;
const KEY_HASH_BYTES = 4;
/** Of a private key and of a public one. */
export const ED25519_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Signatures that are looked at: a note may have more, of keys that the reader does not know. */
const SIGNATURES_MAX = 16;

// The fixed parts of an Ed25519 key in DER (RFC 8410, 7 and 4).
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Of a public key. */
interface KeyIdentity {
  readonly name: string;
  /** Hexadecimal, 8 digits. */
  readonly hash: string;
}

export interface NoteVerifier extends KeyIdentity {
  readonly key: KeyObject;
  /** `<name>+<hash>+<base64>`. */
  readonly text: string;
}

export interface NoteSigner {
  readonly verifier: NoteVerifier;
  readonly key: KeyObject;
}

/** A name has no white space and no `+`. */
const isKeyName = (name: string): boolean => /^[^\s+\p{C}]{1,128}$/u.test(name);

/** @throws SyntaxError */
export function parseVerifier(text: string): NoteVerifier {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim());
  const bytes = Buffer.from(parts?.[3] ?? '', 'base64');
  const isKey = bytes.length === 1 + ED25519_KEY_BYTES && bytes[0] === ED25519;
  if (!parts || !isKey || !isKeyName(parts[1]!)) throw new SyntaxError('not a public Ed25519 key of signed notes');
  const verifier = verifierOf(parts[1]!, bytes.subarray(1));
  if (verifier.hash !== parts[2]) throw new SyntaxError('the hash in the public key does not fit the key');
  return verifier;
}

/** @param seed the private key: 32 random bytes @throws RangeError for a name or a seed that cannot be a key's */
export function signerOf(name: string, seed: Buffer): NoteSigner {
  if (!isKeyName(name) || seed.length !== ED25519_KEY_BYTES) throw new RangeError('not a key of signed notes');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, verifier: verifierOf(name, spki.subarray(SPKI_HEAD.length)) };
}

function verifierOf(name: string, bytes: Buffer): NoteVerifier {
  const typed = Buffer.of(ED25519, ...bytes);
  const identity = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer');
  const keyHash = identity.subarray(0, KEY_HASH_BYTES).toString('hex');
  return {
    name,
    hash: keyHash,
    key: createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' }),
    text: `${name}+${keyHash}+${typed.toString('base64')}`,
  };
}

/** @param text ends with a line break @param signers at least one; a key that is being replaced signs beside its successor */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const lines = signers.map(({ key, verifier }) => {
    const signature = Buffer.concat([Buffer.from(verifier.hash, 'hex'), sign(null, Buffer.from(text), key)]);
    return `— ${verifier.name} ${signature.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

export type OpenedNote =
  | { readonly text: string; readonly signedBy: readonly NoteVerifier[] }
  /** Why the note is not to be trusted. */
  | { readonly fault: string };

/** Verifies a note: at least one known key must have signed it, and no signature of a known key may be wrong. */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) return { fault: 'is not a signed note' };
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return { fault: `has more than ${SIGNATURES_MAX} signatures` };
  const signedBy: NoteVerifier[] = [];
  for (const line of lines) {
    const parts = /^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    if (!parts) return { fault: 'has a malformed signature line' };
    const bytes = Buffer.from(parts[2]!, 'base64');
    const keyHash = bytes.subarray(0, KEY_HASH_BYTES).toString('hex');
    const verifier = verifiers.find(({ name, hash: known }) => name === parts[1] && known === keyHash);
    if (!verifier) continue;
    const signature = bytes.subarray(KEY_HASH_BYTES);
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(text), verifier.key, signature)) {
      return { fault: `has a wrong signature of ${verifier.name}` };
    }
    signedBy.push(verifier);
  }
  return signedBy.length === 0 ? { fault: 'is not signed by a known key' } : { text, signedBy };
}
