import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { Execution, OutputFile } from '@voidrunner/client';

import { Failure } from '../../failure.js';
import { warn } from '../../output.js';
import type { Server } from '../server/connection.js';
import { bytesText } from '../terminal/figures.js';
import { startProgress } from '../terminal/progress.js';
import { printable } from '../terminal/text.js';

/** Far above what a server keeps of a run. */
const DOWNLOAD_BYTES_MAX = 1024 ** 3;
const FILES_MAX = 10_000;
/** From here on there is a bar. */
const BAR_BYTES_MIN = 1024 ** 2;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** Writes the files of a run below a folder, never outside of it: paths come from the program, by way of the server. */
export async function downloadFiles(server: Server, execution: Execution, folder: string): Promise<void> {
  const { files } = execution;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (files.length > FILES_MAX || total > DOWNLOAD_BYTES_MAX) {
    throw new Failure(`${files.length} files of ${bytesText(total)} are more than this command writes`);
  }
  const root = resolve(folder);
  await mkdir(root, { recursive: true });
  const progress = await startProgress('files', total >= BAR_BYTES_MIN ? total : 0, 'bytes');
  try {
    for (const file of files) {
      await writeFile(server, execution.id, file, await placeOf(root, file.path), (bytes) => progress.advance(bytes));
    }
  } finally {
    progress.end();
  }
  for (const { path, bytes } of files) warn(`voidrunner: ${printable(join(folder, path))} (${bytesText(bytes)})`);
}

/** @throws Failure for a path that leads out of the folder, by its names or by a symbolic link */
export async function placeOf(root: string, path: string): Promise<string> {
  const names = path.split('/');
  const isUnsafe = (name: string) => name === '' || name === '.' || name === '..' || /[\\\0]/.test(name);
  if (names.some(isUnsafe)) throw new Failure(`the path ${printable(path)} leads out of the folder: not written`);
  let place = root;
  for (const name of names.slice(0, -1)) {
    place = join(place, name);
    await mkdir(place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(place)).isDirectory()) {
      throw new Failure(`${printable(place)} is no folder, or a link: ${printable(path)} was not written`);
    }
  }
  return join(place, names.at(-1)!);
}

/** Complete or not at all: it is written beside its place, checked, and renamed, which replaces a link by the file. */
async function writeFile(
  { vr }: Server,
  id: string,
  { path, bytes, sha256 }: OutputFile,
  place: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const next = join(dirname(place), `.voidrunner.${randomUUID()}`);
  const hash = createHash('sha256');
  let received = 0;
  const file = await open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  try {
    for await (const chunk of await vr.files.stream(id, path)) {
      received += chunk.length;
      if (received > bytes) break;
      hash.update(chunk);
      await file.write(chunk);
      onBytes(chunk.length);
    }
    await file.close();
    if (received !== bytes || hash.digest('hex') !== sha256) {
      throw new Failure(`${printable(path)} did not arrive as the server announced it: try again`);
    }
    await rename(next, place);
  } catch (error) {
    await file.close();
    await rm(next, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR' || code === 'ENOTEMPTY') throw new Failure(`${printable(place)} is a folder: not written`);
    throw error;
  }
}
