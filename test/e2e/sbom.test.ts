import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

interface Bom {
  readonly bomFormat: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

test('the bill of materials lists what runs, with versions, and no test dependency', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'voidrunner-sbom-'));
  try {
    const file = join(folder, 'sbom.json');
    await promisify(execFile)('infra/dev/setup', ['sbom', file]);
    const { bomFormat, components } = JSON.parse(await readFile(file, 'utf8')) as Bom;
    expect(bomFormat).toBe('CycloneDX');
    const packages = JSON.parse(await readFile('package.json', 'utf8')) as Record<string, Record<string, string>>;
    const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    const named = new Set(components.map(({ name, version }) => `${name}@${version}`));
    for (const name of Object.keys(packages['dependencies']!)) {
      expect(named).toContain(`${name}@${lock.packages[`node_modules/${name}`]!.version}`);
    }
    expect(components.map(({ name }) => name)).not.toContain('jest');
  } finally {
    await rm(folder, { recursive: true });
  }
});
