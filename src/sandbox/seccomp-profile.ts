import { readFile } from 'node:fs/promises';

/** @returns the profile's JSON in one line, as the engine takes it. @throws Error for a file that is not JSON */
export async function readSeccompProfile(path: string): Promise<string> {
  return JSON.stringify(JSON.parse(await readFile(path, 'utf8')));
}
