// Reads npm's CycloneDX document from standard input, and removes the packages that only development needs. npm's own
// --omit=dev also removes a quarter of what runs: every package that some package lists in its devDependencies.
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
