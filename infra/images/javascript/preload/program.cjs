'use strict';
/** A program that does what programs usually do, to learn which memory they use (infra/launcher/sample.h). */
class Point {
  constructor(x, y) {
    Object.assign(this, { x, y });
  }
}

const words = 'one two three'.split(' ');
const lengths = new Map(words.map((word) => [word, word.length]));
console.log('text', 1, words, lengths, new Point(1, 2));
console.error(JSON.stringify(JSON.parse('{"a":[1,null]}')));

async function main() {
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    throw new Error('sample');
  } catch (error) {
    console.log(error.message, /s.m/.test(error.message));
  }
}
main();
