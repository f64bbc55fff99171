// Exit code 0 when node_modules holds what package-lock.json says. npm writes what it installed to
// node_modules/.package-lock.json as its last step, so an interrupted install does not pass, and an
// `npm install` by hand does. Optional packages of other platforms may be absent.
import { readFileSync } from 'node:fs';

const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;

try {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  const same = (path) =>
    installed[path]?.version === wanted[path].version && installed[path]?.integrity === wanted[path].integrity;
  const missing = Object.keys(wanted).filter(
    (path) =>
      path !== '' && !same(path) && !((wanted[path].optional || wanted[path].devOptional) && !(path in installed)),
  );
  const extra = Object.keys(installed).filter((path) => !(path in wanted));
  process.exit(missing.length + extra.length === 0 ? 0 : 1);
} catch {
  process.exit(1);
}
