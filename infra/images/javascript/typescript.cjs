'use strict';
/**
 * TypeScript for `node --require`: what tsc would accept of a program is compiled as it is loaded, by swc. In this thread,
 * in one pass, without types being checked. What is resolved as TypeScript resolves it: `./lib`, `./lib.js` for lib.ts,
 * `./folder` for its index.ts, JSON without an attribute, `paths` and `baseUrl` of the tsconfig.json that was given.
 */
const { readFileSync, statSync } = require('node:fs');
const { registerHooks } = require('node:module');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { compileFunction } = require('node:vm');

const swc = require('./swc.node');
const { readTsconfig } = require('./tsconfig.cjs');

const COMPILED = /\.(?:[cm]?ts|tsx|jsx)$/;
const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];
/** What may lie where the compiled file is named. */
const SOURCES_OF = { '.js': ['.ts', '.tsx', '.jsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };
const WRAPPER = ['exports', 'require', 'module', '__filename', '__dirname'];

const tsconfig = readTsconfig(process.cwd());

const isFile = (file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
const isFolder = (file) => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The file that an import of `file` means, or undefined. */
function sourceAt(file) {
  if (isFile(file)) return file;
  const ending = path.extname(file);
  const stem = file.slice(0, file.length - ending.length);
  const candidates = [
    ...(SOURCES_OF[ending] ?? []).map((other) => stem + other),
    ...ENDINGS.map((other) => file + other),
  ];
  const found = candidates.find(isFile);
  if (found !== undefined || !isFolder(file) || isFile(path.join(file, 'package.json'))) return found;
  return ENDINGS.map((other) => path.join(file, `index${other}`)).find(isFile);
}

function mapped(specifier) {
  for (const place of tsconfig.placesOf(specifier)) {
    const found = sourceAt(place);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Relative to the importing file, absolute, or a URL of a file; undefined for the name of a package. */
function placeOf(specifier, parentURL) {
  const parent = parentURL?.startsWith('file:') ? fileURLToPath(parentURL) : path.join(process.cwd(), 'main.ts');
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') {
    return path.resolve(path.dirname(parent), specifier.replace(/[?#].*$/, ''));
  }
  return specifier.startsWith('file:') ? fileURLToPath(specifier.replace(/[?#].*$/, '')) : undefined;
}

function resolve(specifier, context, nextResolve) {
  const inPackage = context.parentURL?.includes('/node_modules/') ?? false;
  const place = placeOf(specifier, context.parentURL);
  const found = place === undefined ? (inPackage ? undefined : mapped(specifier)) : sourceAt(place);
  if (found === undefined || found === place) return nextResolve(specifier, context);
  const isRequired = context.conditions.includes('require');
  return nextResolve(isRequired ? found : pathToFileURL(found).href, context);
}

const typeOfFolder = new Map();

/** What the nearest package.json says, as Node looks for it. */
function typeIn(folder) {
  if (typeOfFolder.has(folder)) return typeOfFolder.get(folder);
  let type;
  const manifest = path.join(folder, 'package.json');
  if (isFile(manifest)) type = JSON.parse(readFileSync(manifest, 'utf8')).type ?? 'none';
  else type = path.dirname(folder) === folder ? 'none' : typeIn(path.dirname(folder));
  typeOfFolder.set(folder, type);
  return type;
}

/** `module` or `commonjs` where something says so; else the file's own syntax decides. */
function formatOf(file, source) {
  if (file.endsWith('.mts')) return 'module';
  if (file.endsWith('.cts') || /^\s*export\s*=/m.test(source)) return 'commonjs';
  const type = typeIn(path.dirname(file));
  if (type === 'module' || type === 'commonjs') return type;
  return tsconfig.isCommonJs ? 'commonjs' : undefined;
}

/** As Node itself tells: what does not compile as the body of a function is a module. */
function isModule(code) {
  if (!/\b(?:import|export|await)\b/.test(code)) return false;
  try {
    compileFunction(code, WRAPPER);
    return false;
  } catch {
    return true;
  }
}

function transform(file, source, format, jsx) {
  const options = {
    // Its ending decides, whatever the parser is told.
    filename: jsx && !file.endsWith('x') ? `${file}x` : file,
    sourceFileName: file,
    sourceMaps: 'inline',
    inlineSourcesContent: true,
    swcrc: false,
    configFile: false,
    isModule: true,
    jsc: {
      target: 'esnext',
      parser: { syntax: 'typescript', tsx: jsx, decorators: true },
      transform: tsconfig.transform,
      experimental: { keepImportAttributes: true },
    },
    module: format === 'commonjs' ? { type: 'commonjs' } : { type: 'nodenext' },
  };
  return swc.transformSync(source, false, Buffer.from(JSON.stringify(options))).code;
}

function compile(file, source, format) {
  const jsx = file.endsWith('x');
  try {
    return transform(file, source, format, jsx);
  } catch (error) {
    // JSX in a file that is not named for it, as the task's own script cannot be.
    if (!jsx && /<[A-Za-z>]/.test(source)) {
      try {
        return transform(file, source, format, true);
      } catch {
        // What is wrong with it as TypeScript counts.
      }
    }
    throw syntaxError(file, source, error);
  }
}

/** Where swc's message points: the first mark below a numbered line of its excerpt. */
function placeIn(message) {
  let line;
  let begin = 0;
  for (const row of message.split('\n')) {
    const numbered = /^\s*(\d+) [|│] /.exec(row);
    if (numbered) {
      line = Number(numbered[1]);
      begin = numbered[0].length;
    } else if (line !== undefined && /^\s*[:·]\s+\S/.test(row)) {
      return { line, column: row.slice(begin).search(/\S/) + 1 };
    }
  }
  return { line: 1, column: 1 };
}

/** In the form in which Node tells one in JavaScript. */
function syntaxError(file, source, { message }) {
  const what = /^\s*[x×]\s+(.*)$/m.exec(message)?.[1] ?? message;
  const { line, column } = placeIn(message);
  const text = source.split(/\r?\n/)[line - 1] ?? '';
  const error = new SyntaxError(what);
  error.stack = `${file}:${line}\n${text}\n${' '.repeat(column - 1)}^\n\nSyntaxError: ${what}\n    at ${file}:${line}:${column}`;
  return error;
}

const NAME = /^[A-Za-z_$][\w$]*$/;

/** A module whose members can be imported by name, as with `resolveJsonModule`. */
function jsonModule(file) {
  const value = JSON.parse(readFileSync(file, 'utf8'));
  const members = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const names = members.filter((name) => NAME.test(name));
  const exported = names
    .filter((name) => name !== 'default')
    .map((name, index) => `const _${index} = value.${name}; export { _${index} as ${name} };`);
  return `const value = JSON.parse(${JSON.stringify(JSON.stringify(value))});\nexport default value;\n${exported.join('\n')}`;
}

function load(url, context, nextLoad) {
  if (!url.startsWith('file:')) return nextLoad(url, context);
  const file = fileURLToPath(url.replace(/[?#].*$/, ''));
  if (file.endsWith('.json')) {
    const isPlain = context.importAttributes?.type !== 'json' && !context.conditions?.includes('require');
    return isPlain ? { format: 'module', source: jsonModule(file), shortCircuit: true } : nextLoad(url, context);
  }
  if (!COMPILED.test(file)) return nextLoad(url, context);
  const source = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const format = formatOf(file, source);
  const code = compiled(file, source, format);
  return { format: format ?? (isModule(code) ? 'module' : 'commonjs'), source: code, shortCircuit: true };
}

let isFirst = true;

/** Nobody can catch what is wrong with the program's own file; thrown, Node would show this one above it. */
function compiled(file, source, format) {
  const isProgram = isFirst;
  isFirst = false;
  try {
    return compile(file, source, format);
  } catch (error) {
    if (!isProgram) throw error;
    process.stderr.write(`${error.stack}\n\nNode.js ${process.version}\n`);
    return process.exit(1);
  }
}

registerHooks({ resolve, load });
