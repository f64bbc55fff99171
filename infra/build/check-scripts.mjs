/** Parses every Lua and SQL file, so that a syntax error shows before Redis or Postgres runs it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { loadModule, parsePlPgSQLSync, parseSync } from 'libpg-query';
import luaparse from 'luaparse';

const FOLDERS = ['src', 'migrations'];
const HEADS = ['prelude.lua', 'workers-prelude.lua'];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
);

/** As Redis gets it: behind the heads of its folder, if there are any. A head by itself is complete, too. */
function checkLua(path) {
  luaparse.parse(readFileSync(path, 'latin1'), { luaVersion: '5.1', encodingMode: 'pseudo-latin1' });
  if (HEADS.includes(basename(path))) return;
  const heads = HEADS.map((head) => join(dirname(path), head)).filter((head) => existsSync(head));
  const text = heads.map((head) => readFileSync(head, 'latin1')).join('');
  luaparse.parse(text + readFileSync(path, 'latin1'), { luaVersion: '5.1', encodingMode: 'pseudo-latin1' });
}

/** The statement, and the body of what it creates: to SQL itself a body is a text. */
function checkSql(path) {
  const text = readFileSync(path, 'utf8');
  parseSync(text);
  if (/language plpgsql|^do /m.test(text)) parsePlPgSQLSync(text);
}

await loadModule();
let failed = 0;
let checked = 0;
for (const path of files) {
  const check = path.endsWith('.lua') ? checkLua : path.endsWith('.sql') ? checkSql : null;
  if (check === null) continue;
  checked += 1;
  try {
    check(path);
  } catch (error) {
    failed += 1;
    console.error(`${path}: ${error.message}`);
  }
}
console.log(`${checked} scripts parsed, ${failed} failed`);
if (checked === 0 || failed > 0) process.exitCode = 1;
