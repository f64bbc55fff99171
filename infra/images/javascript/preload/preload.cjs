'use strict';
/**
 * A preloaded Node: `node --require preload.cjs main.js` waits here for jobs, and becomes the program of each (addon.c).
 * Then Node goes on as it does after every --require: it runs the program's own file.
 *
 * A worker thread of a program gets the same --require.
 */
const Module = require('node:module');
const { isMainThread } = require('node:worker_threads');

const addon = require('./preload.node');

/** What programs commonly load. Already loaded, and not to be seen: Node's own modules are in no cache. */
const USUAL = [
  'assert',
  'async_hooks',
  'buffer',
  'child_process',
  'crypto',
  'events',
  'fs',
  'fs/promises',
  'http',
  'net',
  'os',
  'path',
  'perf_hooks',
  'querystring',
  'readline',
  'stream',
  'stream/promises',
  'string_decoder',
  'timers',
  'timers/promises',
  'tty',
  'url',
  'util',
  'v8',
  'vm',
  'worker_threads',
  'zlib',
];

/** So often that V8 has compiled it. Programs gain nothing by 60, which take 60 ms. */
const WARM_UP_RUNS = 5;

const SAMPLE = `${__dirname}/sample.cjs`;
const TYPESCRIPT = '/usr/local/lib/voidrunner/typescript/typescript.cjs';

function forget() {
  for (const file of Object.keys(Module._cache)) delete Module._cache[file];
  process.mainModule = undefined;
}

const isTypescript = () => process.execArgv.some((option) => option === `--require=${TYPESCRIPT}`);

/** The program's own file, which Node was told before it was known. A getter: it leaves no trace in a stack. */
function runMain(file) {
  const usual = Module.runMain;
  const run = usual.bind(Module, file);
  const property = Object.getOwnPropertyDescriptor(Module, 'runMain');
  Object.defineProperty(Module, 'runMain', {
    configurable: true,
    get() {
      Object.defineProperty(Module, 'runMain', property);
      return run;
    },
  });
}

/** What an option would have done at Node's start. The zygote has none of them, since they differ by language. */
function applyOptions() {
  if (process.execArgv.includes('--enable-source-maps')) process.setSourceMapsEnabled(true);
  const prefix = '--disable-warning=';
  const hidden = process.execArgv
    .filter((option) => option.startsWith(prefix))
    .map((option) => option.slice(prefix.length));
  const [usual] = process.listeners('warning');
  process.removeListener('warning', usual);
  process.on('warning', (warning) => {
    if (!hidden.includes(warning.name) && !hidden.includes(warning.code)) usual.call(process, warning);
  });
  if (isTypescript()) require(TYPESCRIPT);
}

/** Different in each program, although V8 has one generator for all of them. */
function seed() {
  const v8 = require('node:v8');
  v8.setFlagsFromString(`--random-seed=${addon.randomSeed()}`);
  Math.random();
  v8.setFlagsFromString('--random-seed=0');
}

function withoutWarnings(action) {
  const usual = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return action();
  } finally {
    process.emitWarning = usual;
  }
}

/**
 * Takes Node's own modules back from programs, which --expose-internals opens to all. Needed for the exit code, which
 * only they tell when no JavaScript runs any more, and for the clocks.
 */
function internals() {
  const { internalBinding } = withoutWarnings(() => require('internal/test/binding'));
  delete globalThis.internalBinding;
  delete globalThis.primordials;
  const BuiltinModule = require('internal/modules/helpers').loadBuiltinModule('fs').constructor;
  const ids = Module.builtinModules.filter((id) => !id.startsWith('internal/'));
  BuiltinModule.setRealmAllowRequireByUsers(ids);
  for (const id of ids) BuiltinModule.allowRequireByUsers(id.replace(/^node:/, ''));
  Module.builtinModules = ids;
  return internalBinding;
}

/** Compiles what programs need, here instead of in each. */
function warmUp() {
  for (const name of USUAL) require(name);
  for (let run = 0; run < WARM_UP_RUNS; run++) {
    Module.runMain(SAMPLE);
    delete Module._cache[SAMPLE];
  }
  // The streams of a program: their descriptors are replaced below them.
  for (const stream of [process.stdout, process.stderr]) void stream.writable;
}

/** V8's collector, which only a context made under --expose-gc has. */
function collector() {
  const { setFlagsFromString } = require('node:v8');
  setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/** Leaves nothing to do that each program would do again: ticks, and garbage. The second collection sweeps. */
function settle() {
  const collect = collector();
  collect();
  collect();
  process._tickCallback();
}

/** Takes the command line `node [option...] file [argument...]`. */
function become([, ...rest]) {
  const at = rest.findIndex((argument) => !argument.startsWith('-'));
  // Node keeps the folder that it was started in.
  process.chdir('.');
  const file = require('node:path').resolve(rest[at]);
  process.execArgv = rest.slice(0, at);
  addon.note(JSON.stringify(process.execArgv));
  process.argv = [process.execPath, file, ...rest.slice(at + 1)];
  Object.defineProperty(process, 'pid', { value: addon.pid() });
  seed();
  applyOptions();
  runMain(file);
}

const internalBinding = internals();
if (isMainThread) {
  warmUp();
  // TypeScript's compiler.
  require('/usr/local/lib/voidrunner/typescript/swc.node');
  forget();
  settle();
  const { exit_info_private_symbol: exitInfo } = internalBinding('util').privateSymbols;
  const { milestones } = internalBinding('performance');
  become(addon.serve(process[exitInfo], milestones));
} else {
  // Node tells a worker the options of the zygote.
  process.execArgv = JSON.parse(addon.noted());
  forget();
  applyOptions();
}
