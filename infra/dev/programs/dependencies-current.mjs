// Exits 0 if node_modules holds what package-lock.json says. npm writes node_modules/.package-lock.json as its last step,
// so an interrupted install does not pass, and an `npm install` by hand does. Optional packages of other platforms may
// be absent.
import { readFileSync } from 'node:fs';

const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
try {
  const [wanted, installed] = [packagesOf('package-lock.json'), packagesOf('node_modules/.package-lock.json')];
  const same = (path) =>
    installed[path]?.version === wanted[path].version && installed[path]?.integrity === wanted[path].integrity;
  const mayBeAbsent = (path) => (wanted[path].optional || wanted[path].devOptional) && !(path in installed);
  const missing = Object.keys(wanted).filter((path) => path !== '' && !same(path) && !mayBeAbsent(path));
  const extra = Object.keys(installed).filter((path) => !(path in wanted));
  process.exitCode = missing.length + extra.length === 0 ? 0 : 1;
} catch {
  process.exitCode = 1;
}
