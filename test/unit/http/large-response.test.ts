import { droppedAtEnd } from '../../../src/http/large-response.js';

function* counted(pieces: readonly string[], ended: () => void): Generator<string> {
  try {
    yield* pieces;
  } finally {
    ended();
  }
}

test('pieces come once, in order, and their source is ended', () => {
  let ended = 0;
  const pieces = droppedAtEnd(counted(['a', 'b'], () => (ended += 1)));
  expect([...pieces]).toEqual(['a', 'b']);
  expect([...pieces]).toEqual([]);
  expect(ended).toBe(1);
});

test('a reader that stops early ends the source', () => {
  let ended = 0;
  for (const piece of droppedAtEnd(counted(['a', 'b'], () => (ended += 1)))) {
    expect(piece).toBe('a');
    break;
  }
  expect(ended).toBe(1);
});
