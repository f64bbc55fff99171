import { isUtf8 } from 'node:buffer';

import { AwaitedBytes } from './awaited-bytes.js';
import type { CollectedFile, SkippedFile, SkipReason } from './sandbox.js';

/** Bounds of the files that a run may keep. */
export interface FilesMax {
  readonly count: number;
  /** Of all together. */
  readonly bytes: number;
}

export const FILES_MAX: FilesMax = { count: 64, bytes: 16 * 1024 ** 2 };

/** What a run left behind, as its launcher sent it. */
export interface CollectedFiles {
  readonly files: readonly CollectedFile[];
  /** No more than the bound of files. */
  readonly skipped: readonly SkippedFile[];
  /** Files that match, kept or not, and folders that were not entered. */
  readonly matches: number;
  /** Indexes of patterns that matched nothing. */
  readonly unmatched: readonly number[];
  /** False if collecting was cut short: later files are missing. */
  readonly complete: boolean;
}

export const NO_FILES: CollectedFiles = { files: [], skipped: [], matches: 0, unmatched: [], complete: true };

const KINDS: Readonly<Record<string, SkipReason | 'file' | 'end'>> = {
  F: 'file',
  L: 'too_large',
  N: 'not_a_regular_file',
  U: 'unreadable',
  D: 'too_deep',
  P: 'path_too_long',
  E: 'end',
};

const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;
const END_BYTES = 8;
/** As in infra/launcher/collect.h. */
const PATH_BYTES_MAX = 255;

/** Of all paths together, in JSON: an event has at most 64 KiB. Paths beyond it are left out. */
export const PATHS_BYTES_MAX = 16 * 1024;

const CONTROL_CHARACTERS = /\p{Cc}/gu;

/** Reads the records of files (infra/launcher/README.md, "Files"), which arrive in pieces of any size. */
export class FileRecords {
  private readonly files: CollectedFile[] = [];
  private readonly skipped: SkippedFile[] = [];
  private bytesLeft: number;
  private pathBytesLeft = PATHS_BYTES_MAX;
  private received = 0;
  private end: { readonly matched: number; readonly matches: number } | null = null;
  private readonly next = new AwaitedBytes();

  constructor(private readonly max: FilesMax) {
    this.bytesLeft = max.bytes;
    this.awaitHeader();
  }

  /** Keeps no reference to the bytes. @throws Error if they are no records, or more than was asked for */
  write(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at += this.next.take(bytes, at);
  }

  /** @param patterns how many there were */
  result(patterns: number): CollectedFiles {
    const { files, skipped, end } = this;
    const indexes = Array.from({ length: end ? patterns : 0 }, (_, index) => index);
    return {
      files,
      // Files whose names are invalid may be added to as many as were asked for.
      skipped: skipped.slice(0, this.max.count),
      matches: end?.matches ?? files.length,
      unmatched: indexes.filter((index) => ((end!.matched >>> index) & 1) === 0),
      complete: end !== null,
    };
  }

  private awaitHeader(): void {
    this.next.await(HEADER_BYTES, (header) => this.takeHeader(header));
  }

  private takeHeader(header: Buffer): void {
    if (this.end) throw new Error('the launcher sent files after their end');
    const kind = KINDS[String.fromCharCode(header[0]!)];
    const length = header.readUInt32BE(1);
    if (kind === undefined || (kind === 'end' ? length !== END_BYTES : length > PATH_BYTES_MAX))
      throw new Error('the launcher sent an invalid record of a file');
    if (kind === 'end') this.next.await(length, (end) => this.takeEnd(end));
    else this.next.await(length, (path) => this.takePath(kind, path));
  }

  private takeEnd(end: Buffer): void {
    this.end = { matched: end.readUInt32BE(), matches: end.readUInt32BE(LENGTH_BYTES) };
    this.awaitHeader();
  }

  private takePath(kind: SkipReason | 'file', path: Buffer): void {
    if (kind === 'file') return this.next.await(LENGTH_BYTES, (length) => this.takeLength(path, length.readUInt32BE()));
    this.skip(path, kind);
    this.awaitHeader();
  }

  private takeLength(path: Buffer, length: number): void {
    if (length > this.bytesLeft || this.received === this.max.count)
      throw new Error('the launcher sent more files than it was asked for');
    this.bytesLeft -= length;
    this.received += 1;
    this.next.await(length, (content) => this.takeContent(path, content));
  }

  private takeContent(path: Buffer, content: Buffer): void {
    const name = path.toString('utf8');
    if (!isName(path)) this.skip(path, 'invalid_name');
    else if (this.hasRoomFor(name)) this.files.push({ path: name, content });
    this.awaitHeader();
  }

  private skip(path: Buffer, reason: SkipReason): void {
    const shown = path.toString('utf8').replaceAll(CONTROL_CHARACTERS, '\uFFFD');
    if (this.hasRoomFor(shown)) this.skipped.push({ path: shown, reason });
  }

  private hasRoomFor(path: string): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(path));
    if (bytes > this.pathBytesLeft) return false;
    this.pathBytesLeft -= bytes;
    return true;
  }
}

/** A name that JSON, headers and terminals can show as it is. */
const isName = (path: Buffer): boolean => isUtf8(path) && path.toString('utf8').search(CONTROL_CHARACTERS) === -1;
