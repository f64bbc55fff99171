import { randomUUID } from 'node:crypto';

import { TestSandbox } from '../../support/docker.js';

/** One user, so that one cell runs all tests. */
const userId = randomUUID();

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

const typescript = (script: string, files: Readonly<Record<string, string>> = {}) =>
  box.run('typescript', script, {
    userId,
    input: { files: Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) })) },
  });

const LEGACY = 'function D(t: any, key: string) { console.log(typeof t, key); }\nclass X { @D m() {} }';

it.each<[what: string, out: string, script: string, files?: Readonly<Record<string, string>>]>([
  [
    'decorators of methods, fields and classes',
    'method\nfield\nclass\n20\n',
    `const log = (v: any, c: DecoratorContext): any => { console.log(c.kind); return c.kind === 'field' ? (n: number) => n * 10 : v; };
@log class C { @log m() {} @log n = 2; }
console.log(new C().n);`,
  ],
  ['accessor fields', '2\n', 'class C { accessor x = 1; } const c = new C(); c.x += 1; console.log(c.x);'],
  [
    'experimental decorators, enabled in tsconfig.json',
    'object m\n',
    LEGACY,
    { 'tsconfig.json': '{ /* c */ "compilerOptions": { "experimentalDecorators": true, }, }' },
  ],
  [
    'decorator metadata, enabled in tsconfig.json',
    'design:paramtypes m\n',
    `(Reflect as any).metadata = (key: string) => (t: any, name: string) => key === 'design:paramtypes' && console.log(key, name);
const D = (t: any, key: string) => {}; class X { @D m(a: string) {} }`,
    {
      'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
    },
  ],
  [
    'using',
    'in\nout\n',
    `class R { [Symbol.dispose]() { console.log('out'); } }\n{ using r = new R(); console.log('in'); }`,
  ],
  ['an import without an ending', '3\n', `import { add } from './lib/add';\nconsole.log(add(1, 2));`],
  ['an import of the compiled name', '3\n', `import { add } from './lib/add.js';\nconsole.log(add(1, 2));`],
  ['a required file without an ending', '3\n', `const { add } = require('./lib/add');\nconsole.log(add(1, 2));`],
  ['a folder', 'index\n', `import it from './folder';\nconsole.log(it);`],
  [
    'JSON, whole and by name',
    '1 1\n',
    `import data from './data.json';\nimport { n } from './data.json';\nconsole.log(data.n, n);`,
  ],
  ['JSON with an attribute', '1\n', `import data from './data.json' with { type: 'json' };\nconsole.log(data.n);`],
  ['required JSON', '1\n', `console.log(require('./data.json').n);`],
  [
    'paths and baseUrl',
    'alias 3\n',
    `import it from '@app/alias';\nimport { add } from 'lib/add';\nconsole.log(it, add(1, 2));`,
    {
      'tsconfig.json': '{ "extends": "./base", "compilerOptions": { "baseUrl": "." } }',
      'base.json': '{ "compilerOptions": { "paths": { "@app/*": ["./app/*"] } } }',
      'app/alias.ts': 'export default "alias";',
    },
  ],
  [
    'JSX in a .tsx file, with its own factory',
    '<b>x2</b>\n',
    `import { View } from './view';\nconsole.log(View());`,
    {
      'tsconfig.json': '{ "compilerOptions": { "jsxFactory": "h" } }',
      'view.tsx':
        'const h = (t: string, _: unknown, ...c: unknown[]) => `<${t}>${c.join("")}</${t}>`;\nexport const View = () => <b>x{1 + 1}</b>;',
    },
  ],
  ['JSX in the script itself', 'i\n', `const React = { createElement: (name: string) => name };\nconsole.log(<i/>);`],
  [
    'imports of types, unused as values',
    '1\n',
    `import { Shape } from './types';\nimport type { Other } from './nowhere';\nconst s: Shape & Partial<Other> = { n: 1 };\nconsole.log(s.n);`,
    { 'types.ts': 'export interface Shape { n: number }' },
  ],
  [
    'enums, namespaces, parameter properties, satisfies',
    '1 2 3\n',
    `enum E { A = 1 }\nnamespace N { export const two = 2; }\nclass P { constructor(readonly x: number) {} }\nconsole.log(E.A, N.two, new P(3).x satisfies number);`,
  ],
  ['import = require', 'function\n', `import fs = require('fs');\nconsole.log(typeof fs.readFileSync);`],
  ['export =', '5\n', `import five = require('./five');\nconsole.log(five);`, { 'five.ts': 'export = 5;' }],
  [
    'top-level await, and import.meta',
    'main.ts 1\n',
    `import { basename } from 'node:path';\nconsole.log(basename(import.meta.filename), await Promise.resolve(1));`,
  ],
  ['only top-level await', '1\n', 'console.log(await Promise.resolve(1));'],
  [
    '__dirname and require in CommonJS',
    '/tmp/work function\n',
    'const n: number = 1;\nconsole.log(__dirname, typeof require);',
  ],
  [
    'imports as CommonJS, enabled in tsconfig.json',
    '3 function\n',
    `import { add } from './lib/add';\nconsole.log(add(1, 2), typeof require);`,
    { 'tsconfig.json': '{ "compilerOptions": { "module": "CommonJS" } }' },
  ],
  [
    '.mts and .cts files',
    'm c\n',
    `import m from './m.mjs';\nimport c from './c.cjs';\nconsole.log(m, c);`,
    {
      'm.mts': 'export default "m" as string;',
      'c.cts': 'const c: string = "c";\nmodule.exports = c;',
    },
  ],
  [
    'a byte order mark, Windows line ends and a first line for the shell',
    '1\n',
    '\uFEFF#!/usr/bin/env ts-node\r\nconst n: number = 1;\r\nconsole.log(n);\r\n',
  ],
  [
    'a file in a worker thread',
    '7\n',
    `import { Worker, isMainThread, parentPort } from 'node:worker_threads';
if (isMainThread) new Worker(import.meta.filename).on('message', (n: number) => console.log(n));
else parentPort!.postMessage(7 satisfies number);`,
  ],
])('runs %s', async (_what, out, script, files = {}) => {
  const shared = {
    'lib/add.ts': 'export const add = (a: number, b: number): number => a + b;\n',
    'folder/index.ts': 'export default "index";',
    'data.json': '{ "n": 1, "not-a-name": 2, "default": 3 }',
  };
  expect(await typescript(script, { ...shared, ...files })).toMatchObject({ out, err: '', returnCode: 0 });
});

it('an error names its line and column, in the script and in imported files', async () => {
  const script = `import { fail } from './lib';\n\ninterface Removed { n: number }\nenum Moved { A }\n  fail(Moved.A);\n`;
  const lib = 'type Removed = 1;\n\nexport function fail(n: number): never {\n    throw new Error(`boom ${n}`);\n}\n';
  const { err, returnCode } = await typescript(script, { 'lib.ts': lib });
  expect(err).toContain('Error: boom 0');
  expect(err).toMatch(/\/tmp\/work\/lib\.ts:4:11\)?\n[^]*\/tmp\/work\/main\.ts:5:3\b/);
  expect(returnCode).toBe(1);
});

it('a syntax error names its line and column', async () => {
  const own = await typescript('let x: number;\nconst y: number = = 1;\n');
  expect(own.err).toMatch(
    /^\/tmp\/work\/main\.ts:2\nconst y: number = = 1;\n {18}\^\n\nSyntaxError: .*\n {4}at .*main\.ts:2:19\n/,
  );
  const imported = await typescript(`import './lib';`, { 'lib.ts': 'export const x: number = 1;\nconst y = (;\n' });
  expect(imported.err).toMatch(/\/tmp\/work\/lib\.ts:2\n[^]*SyntaxError: .*\n {4}at \/tmp\/work\/lib\.ts:2:12/);
  expect([own.returnCode, imported.returnCode]).toEqual([1, 1]);
});

it('a program can catch a failed import', async () => {
  const script = `try { await import('./lib'); } catch (error) { console.log((error as Error).name); }`;
  expect(await typescript(script, { 'lib.ts': 'const y = (;' })).toMatchObject({ out: 'SyntaxError\n', returnCode: 0 });
  const missing = await typescript(`import { x } from './nowhere';\nconsole.log(x);`);
  expect(missing.err).toMatch(/Cannot find module '\/tmp\/work\/nowhere'/);
});
