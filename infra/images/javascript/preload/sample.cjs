'use strict';
/** A program that does what programs usually do: run before the first job, so that its compilation is not repeated. */
const { Console } = require('node:console');
const fs = require('node:fs');
const path = require('node:path');
const { Writable } = require('node:stream');
const util = require('node:util');

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
const console = new Console(nowhere, nowhere);

class Point {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
}

console.log(1, 'text', true, null);
console.error('%s has %d', 'a format', 2);
console.log([1, 2, { a: [3] }], new Point(1, 2), new Map([[1, 2]]), new Set([1]), new Error('sample'));
util.format('%o', { a: 1 });
JSON.parse(JSON.stringify({ a: [1, 'two', null] }));
fs.readFileSync(path.join(__dirname, 'sample.cjs'), 'utf8')
  .split('\n')
  .map((line) => line.trim());
[3, 1, 2].sort((a, b) => a - b).reduce((sum, value) => sum + value, 0);
