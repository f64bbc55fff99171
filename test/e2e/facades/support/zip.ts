import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of an archive; what is not given is as a well-formed archive has it. */
export interface ZipEntry {
  readonly name: string;
  readonly content?: Buffer | string;
  /** Of the file's type and permissions; default: a regular file. */
  readonly mode?: number;
  /** Instead of the content's. */
  readonly declaredSize?: number;
  readonly isEncrypted?: boolean;
}

const UNIX_2_0 = (3 << 8) | 20;
const DEFLATE = 8;
const REGULAR = 0o100_644;

/** A zip archive (APPNOTE.TXT of PKWARE), also one that no tool would write. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', mode = REGULAR, declaredSize, isEncrypted = false } of entries) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const path = Buffer.from(name);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(isEncrypted ? 1 : 0, 2);
    facts.writeUInt16LE(DEFLATE, 4);
    facts.writeUInt32LE(crc32(bytes), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(declaredSize ?? bytes.length, 18);
    facts.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), facts, path, packed]);
    const head = Buffer.from('PK\u0001\u0002\0\0');
    head.writeUInt16LE(UNIX_2_0, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(head, facts, tail, path);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
