import { createRequire } from 'node:module';

/** The version in package.json. Its relative path differs between `src/composition` and `dist`. */
function readVersion(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = require(path) as { name?: string; version: string };
      if (name === 'voidrunner') return version;
    } catch {
      // Not at this path.
    }
  }
  return 'unknown';
}

export const VERSION = readVersion();
