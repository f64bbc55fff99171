import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A copy of the declared runtimes, to change. */
export class RuntimeFiles {
  private constructor(readonly folder: string) {}

  static async copy(): Promise<RuntimeFiles> {
    const folder = await mkdtemp(join(tmpdir(), 'voidrunner-runtimes-'));
    await cp('runtimes', folder, { recursive: true });
    return new RuntimeFiles(folder);
  }

  /** @throws Error if the change changes nothing */
  async change(runtime: string, change: (file: string) => string): Promise<void> {
    const before = await this.read(runtime);
    const after = change(before);
    if (after === before) throw new Error(`${runtime}.yaml is unchanged`);
    await this.write(runtime, after);
  }

  read(runtime: string): Promise<string> {
    return readFile(this.pathOf(runtime), 'utf8');
  }

  /** Adds a file or replaces it. */
  async write(runtime: string, content: string): Promise<void> {
    await writeFile(this.pathOf(runtime), content);
  }

  async delete(runtime: string): Promise<void> {
    await rm(this.pathOf(runtime));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  private pathOf(runtime: string): string {
    return join(this.folder, `${runtime}.yaml`);
  }
}
