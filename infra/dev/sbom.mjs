// Reads the CycloneDX document of npm from standard input and leaves out what only development needs. npm's own
// --omit=dev leaves out a quarter of what runs as well: whatever some package names among its own devDependencies.
import { text } from 'node:stream/consumers';

const isDevelopment = ({ properties = [] }) =>
  properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');

const bom = JSON.parse(await text(process.stdin));
const left = new Set(bom.components.filter(isDevelopment).map((component) => component['bom-ref']));
const components = bom.components.filter((component) => !left.has(component['bom-ref']));
const dependencies = bom.dependencies
  .filter(({ ref }) => !left.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => !left.has(one)) }));
process.stdout.write(`${JSON.stringify({ ...bom, components, dependencies }, null, 2)}\n`);
