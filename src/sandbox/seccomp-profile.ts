import { readFile } from 'node:fs/promises';

/** @returns the profile as JSON in one line, as the engine expects it. @throws Error if the file is not JSON */
export async function readSeccompProfile(path: string): Promise<string> {
  return JSON.stringify(JSON.parse(await readFile(path, 'utf8')));
}
