const { readFileSync } = require('node:fs');
const { registerHooks } = require('node:module');
const { join } = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');

const { default: JestRuntime } = require('jest-runtime');

/**
 * Imports modules with Node's own loader instead of a vm context per test file. A worker process then loads each
 * module once, not once per test file: Jest's way took 1.5 to 2 s of CPU time per file that imports the service.
 * Jest still runs the tests, transforms TypeScript, collects coverage and ends what takes too long.
 * Not supported: jest.mock and a module registry per file. State at module level is shared by the files of a worker.
 */
class NativeRuntime extends JestRuntime {
  constructor(config, environment, resolver, transformer, cacheFS, coverageOptions, ...rest) {
    super(config, environment, resolver, transformer, cacheFS, coverageOptions, ...rest);
    this.environment = environment;
    transform = (path, source) => transformer.transform(path, { ...coverageOptions, ...NODE_SUPPORTS }, source);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  /** @param path of a setup file or of the test file */
  async unstable_importModule(path) {
    for (const name of JEST_GLOBALS) globalThis[name] = this.environment.global[name];
    globalThis.jest = this.jestGlobals.jestObjectFor(path);
    return import(`${pathToFileURL(path).href}?import=${(imports += 1)}`);
  }

  getSourceMaps() {
    return sourceMaps;
  }

  /** Counts of this test file only: those of all would be sent to the parent 250 times, at 2 s of CPU time each. */
  getAllCoverageInfoCopy() {
    const counted = Object.entries(globalThis[COVERAGE] ?? {}).filter(([, { s, f, b }]) => hasCounts(s, f, b));
    const copy = structuredClone(Object.fromEntries(counted));
    for (const [, { s, f, b }] of counted) for (const counts of [s, f, ...Object.values(b)]) reset(counts);
    return copy;
  }
}

const JEST_GLOBALS = [
  ...['describe', 'it', 'test', 'expect', 'beforeAll', 'beforeEach', 'afterEach', 'afterAll'],
  'console',
];

/** Where babel-plugin-istanbul counts. */
const COVERAGE = '__coverage__';

const hasCounts = (statements, functions, branches) =>
  [statements, functions, ...Object.values(branches)].some((counts) =>
    Object.values(counts).some((count) => count > 0),
  );

function reset(counts) {
  for (const key of Object.keys(counts)) counts[key] = 0;
}

const NODE_SUPPORTS = {
  isInternalModule: false,
  supportsDynamicImport: true,
  supportsExportNamespaceFrom: true,
  supportsStaticESM: true,
  supportsTopLevelAwait: true,
};

/** Test files are imported under a URL of their own, so that watch mode loads a changed one again. */
let imports = 0;
/** The transform of the test file that runs. */
let transform;
/** By URL, for the stack traces: source-map-support asks for them. */
const sourceMaps = new Map();

const isTypeScript = (url = '') => /^file:.*\.ts(\?|$)/.test(url) && !url.includes('/node_modules/');

/** Packages of this repository are not built for tests. tsconfig.json says the same to compilers. */
const SOURCES = { '@voidrunner/client': pathToFileURL(join(__dirname, '../../packages/client/src/index.ts')).href };

registerHooks({
  resolve(specifier, context, nextResolve) {
    const ours = isTypeScript(context.parentURL) ? SOURCES[specifier] : undefined;
    if (ours) return nextResolve(ours, context);
    const isOurs = isTypeScript(context.parentURL) && specifier.startsWith('.');
    return nextResolve(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
  load(url, context, nextLoad) {
    if (!isTypeScript(url)) return nextLoad(url, context);
    const path = fileURLToPath(url);
    const { code, sourceMapPath } = transform(path, readFileSync(path, 'utf8'));
    if (sourceMapPath) sourceMaps.set(url, sourceMapPath);
    return { format: 'module', source: code, shortCircuit: true };
  },
});

module.exports = NativeRuntime;
