import { createCipheriv, createDecipheriv, type DecipherGCM, type KeyObject, randomBytes } from 'node:crypto';

import { detachBuffer } from '../memory/detach-buffer.js';

/** AES-256-GCM (NIST SP 800-38D): one byte of format, 12 of nonce, the ciphertext, 16 of tag. */
const ALGORITHM = 'aes-256-gcm';
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;
export const KEY_BYTES = 32;
/** Encrypted or decrypted at a time, because the cipher returns a copy. */
const PIECE_BYTES = 64 * 1024;

export const sealedBytesOf = (plaintextBytes: number): number => HEADER_BYTES + plaintextBytes + TAG_BYTES;

/**
 * Encrypts under a fresh random nonce; one key may be used for 2³² messages.
 * @param key of {@link KEY_BYTES}, as a KeyObject: Node converts raw bytes each time, 15 of the 20 µs for half a KiB
 * @param context what the box is for; it opens for nothing else
 * @returns memory of its own
 */
export function seal(key: KeyObject, plaintext: Uint8Array, context: string): Buffer {
  const sealed = Buffer.allocUnsafeSlow(sealedBytesOf(plaintext.length));
  sealInto(sealed, key, plaintext, context);
  return sealed;
}

/** Like seal. @param target of {@link sealedBytesOf} */
export function sealInto(target: Uint8Array, key: KeyObject, plaintext: Uint8Array, context: string): void {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context));
  target[0] = FORMAT;
  target.set(nonce, 1);
  for (let at = 0; at < plaintext.length; at += PIECE_BYTES) {
    const piece = cipher.update(plaintext.subarray(at, at + PIECE_BYTES));
    target.set(piece, HEADER_BYTES + at);
    detachBuffer(piece);
  }
  cipher.final();
  target.set(cipher.getAuthTag(), HEADER_BYTES + plaintext.length);
}

/** @returns memory of its own. @throws Error if the box was made with another key, for another context, or changed since */
export function unseal(key: KeyObject, sealed: Uint8Array, context: string): Buffer {
  const box = new OpeningBox(key, context, sealed.length - sealedBytesOf(0));
  box.add(sealed);
  return box.opened();
}

/** A box that arrives in pieces. Used once. */
export class OpeningBox {
  private readonly plaintext: Buffer;
  private readonly tag = Buffer.alloc(TAG_BYTES);
  private decipher: DecipherGCM | null = null;
  /** Bytes of the box so far. */
  private at = 0;

  /** @param plaintextBytes as many as it has if it is unchanged */
  constructor(
    private readonly key: KeyObject,
    private readonly context: string,
    plaintextBytes: number,
  ) {
    if (plaintextBytes < 0) throw notSealed();
    this.plaintext = Buffer.allocUnsafeSlow(plaintextBytes);
  }

  /** The first piece contains at least nonce and format. @throws Error if this is no such box */
  add(piece: Uint8Array): void {
    let from = 0;
    if (this.decipher === null) {
      this.decipher = this.begin(piece);
      from = HEADER_BYTES;
      this.at = HEADER_BYTES;
    }
    const { plaintext } = this;
    while (from < piece.length) {
      const offset = this.at - HEADER_BYTES;
      const isTag = offset >= plaintext.length;
      const left = isTag ? plaintext.length + TAG_BYTES - offset : Math.min(PIECE_BYTES, plaintext.length - offset);
      if (left <= 0) throw notSealed();
      const part = piece.subarray(from, from + left);
      if (isTag) this.tag.set(part, offset - plaintext.length);
      else this.decrypt(this.decipher, part, offset);
      from += part.length;
      this.at += part.length;
    }
  }

  /** @returns memory of its own. @throws Error if the box was made with another key, for another context, or changed */
  opened(): Buffer {
    if (this.decipher === null || this.at !== sealedBytesOf(this.plaintext.length)) throw notSealed();
    this.decipher.setAuthTag(this.tag);
    this.decipher.final();
    return this.plaintext;
  }

  private begin(piece: Uint8Array): DecipherGCM {
    if (piece.length < HEADER_BYTES || piece[0] !== FORMAT) throw notSealed();
    const nonce = piece.subarray(1, HEADER_BYTES);
    const decipher = createDecipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(this.context));
    return decipher;
  }

  private decrypt(decipher: DecipherGCM, part: Uint8Array, offset: number): void {
    const opened = decipher.update(part);
    this.plaintext.set(opened, offset);
    detachBuffer(opened);
  }
}

const notSealed = (): Error => new Error('this is not a sealed box');
