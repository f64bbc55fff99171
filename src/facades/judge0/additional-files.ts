import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';

import { isInside } from '../../tasks/api/input-schema.js';

/** Of an execution's input (input-schema.ts), so that an archive beyond them is refused before it is unpacked. */
export interface ArchiveLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
}

export interface UnpackedFile {
  readonly path: string;
  readonly content: Buffer;
}

/** What is wrong with an archive, for its sender. */
export class InvalidArchive extends Error {}

const S_IFMT = 0o170_000;
const S_IFREG = 0o100_000;
/** "Version made by": the upper byte is the system whose attributes the entry has. */
const UNIX = 3;

/**
 * Reads the files of a zip archive that is in memory. Sizes are checked before anything is unpacked, and again while it
 * is: yauzl ends an entry that has more bytes than it declares.
 * @throws InvalidArchive
 */
export async function unpack(archive: Buffer, limits: ArchiveLimits): Promise<UnpackedFile[]> {
  try {
    // Names with `..`, an absolute path or a drive are refused by yauzl; strict: backslashes, too.
    const zip = await fromBufferPromise(archive, { lazyEntries: true, strictFileNames: true });
    const files: UnpackedFile[] = [];
    for (const entry of await fileEntriesOf(zip, limits)) {
      files.push({ path: entry.fileName, content: await contentOf(zip, entry) });
    }
    return files;
  } catch (error) {
    if (error instanceof InvalidArchive) throw error;
    throw new InvalidArchive('is not a zip archive that can be read');
  }
}

async function fileEntriesOf(zip: ZipFile, { filesMax, bytesMax }: ArchiveLimits): Promise<Entry[]> {
  // Folders have entries, too.
  if (zip.entryCount > 2 * filesMax) throw tooMany(filesMax);
  const entries: Entry[] = [];
  let bytes = 0;
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    if (!isRegular(entry)) throw new InvalidArchive('must contain only files and folders');
    if (entry.isEncrypted()) throw new InvalidArchive('must not be encrypted');
    if (!isInside(entry.fileName)) throw new InvalidArchive('must contain only relative paths inside the archive');
    bytes += entry.uncompressedSize;
    if (bytes > bytesMax) throw new InvalidArchive(`must contain at most ${bytesMax} bytes`);
    entries.push(entry);
    if (entries.length > filesMax) throw tooMany(filesMax);
  }
  return entries;
}

const tooMany = (filesMax: number) => new InvalidArchive(`must contain at most ${filesMax} files`);

function isRegular({ versionMadeBy, externalFileAttributes }: Entry): boolean {
  if (versionMadeBy >> 8 !== UNIX) return true;
  const type = (externalFileAttributes >>> 16) & S_IFMT;
  return type === 0 || type === S_IFREG;
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
