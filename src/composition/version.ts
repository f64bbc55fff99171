import { createRequire } from 'node:module';

/** The package's own version. Up from `src/composition` and from `dist` are different ways. */
function readVersion(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = require(path) as { name?: string; version: string };
      if (name === 'voidrunner') return version;
    } catch {
      // Not this way, then.
    }
  }
  return 'unknown';
}

export const VERSION = readVersion();
