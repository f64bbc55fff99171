'use strict';
const { readFileSync, statSync } = require('node:fs');
const path = require('node:path');

const EXTENDS_MAX = 8;
/** From here on a class's fields are defined rather than assigned, where nothing else is said. */
const DEFINES_FIELDS = new Set(['es2022', 'es2023', 'es2024', 'es2025', 'esnext']);

const STRING_OR_COMMENT = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
const STRING_OR_COMMA = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g;
const unlessString = (text) => (text.startsWith('"') ? text : '');

/** JSON with comments and commas before a closing bracket. @throws SyntaxError that names the file */
function parseFile(file) {
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  try {
    return JSON.parse(text.replace(STRING_OR_COMMENT, unlessString).replace(STRING_OR_COMMA, unlessString));
  } catch (error) {
    error.message = `${file}: ${error.message}`;
    throw error;
  }
}

/** Options of the file and of what it extends; `paths` belong to the folder of the file that has them. */
function optionsOf(file, depth = 0) {
  const { compilerOptions = {}, extends: bases = [] } = parseFile(file);
  const folder = path.dirname(file);
  const own = { ...compilerOptions };
  if (own.baseUrl !== undefined) own.baseUrl = path.resolve(folder, own.baseUrl);
  if (own.paths !== undefined) own.pathsFolder = own.baseUrl ?? folder;
  const inherited = [bases].flat().map((base) => {
    const place = path.resolve(folder, base.endsWith('.json') ? base : `${base}.json`);
    return depth < EXTENDS_MAX && statSync(place, { throwIfNoEntry: false }) ? optionsOf(place, depth + 1) : {};
  });
  return Object.assign({}, ...inherited, own);
}

function transformOf(options) {
  const target = String(options.target ?? 'esnext').toLowerCase();
  const isAutomatic = /^react-jsx/.test(options.jsx ?? '');
  return {
    legacyDecorator: options.experimentalDecorators === true,
    decoratorMetadata: options.emitDecoratorMetadata === true,
    ...(options.experimentalDecorators !== true && { decoratorVersion: '2022-03' }),
    useDefineForClassFields: options.useDefineForClassFields ?? DEFINES_FIELDS.has(target),
    verbatimModuleSyntax: options.verbatimModuleSyntax === true,
    react: {
      runtime: isAutomatic ? 'automatic' : 'classic',
      ...(isAutomatic && { importSource: options.jsxImportSource ?? 'react' }),
      ...(!isAutomatic && {
        pragma: options.jsxFactory ?? 'React.createElement',
        pragmaFrag: options.jsxFragmentFactory ?? 'React.Fragment',
      }),
    },
  };
}

/** The places that `paths` and `baseUrl` give a name of no relative place, the longest prefix first. */
function placesIn({ paths = {}, pathsFolder, baseUrl }) {
  const patterns = Object.entries(paths).map(([pattern, targets]) => {
    const [prefix, suffix] = pattern.split('*');
    return { prefix, suffix, targets };
  });
  patterns.sort((a, b) => b.prefix.length - a.prefix.length);
  return (name) => {
    const places = [];
    for (const { prefix, suffix, targets } of patterns) {
      const isExact = suffix === undefined;
      if (isExact ? name !== prefix : !(name.startsWith(prefix) && name.endsWith(suffix))) continue;
      const star = isExact ? '' : name.slice(prefix.length, name.length - suffix.length);
      places.push(...targets.map((target) => path.resolve(pathsFolder, target.replace('*', star))));
      break;
    }
    if (baseUrl !== undefined) places.push(path.resolve(baseUrl, name));
    return places;
  };
}

/** What the tsconfig.json in `folder` asks for, as far as running a program goes; without one, the defaults. */
function readTsconfig(folder) {
  const file = path.join(folder, 'tsconfig.json');
  const options = statSync(file, { throwIfNoEntry: false })?.isFile() ? optionsOf(file) : {};
  return {
    transform: transformOf(options),
    placesOf: placesIn(options),
    isCommonJs: String(options.module ?? '').toLowerCase() === 'commonjs',
  };
}

module.exports = { readTsconfig };
