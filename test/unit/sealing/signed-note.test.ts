import { randomBytes } from 'node:crypto';

import { openCheckpoint, signCheckpoint } from '../../../src/sealing/proofs/checkpoint.js';
import { EMPTY_ROOT } from '../../../src/sealing/proofs/hashes.js';
import { openNote, parseVerifier, signerOf, signNote } from '../../../src/sealing/proofs/signed-note.js';

/** The example of Go's package golang.org/x/mod/sumdb/note. */
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const PUBLIC = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const newSigner = (name: string) => signerOf(name, randomBytes(32));

test('keys and signatures are those of Go’s package note', () => {
  const signer = signerOf('PeterNeumann', SEED);
  expect(signer.verifier.text).toBe(PUBLIC);
  expect(signNote(TEXT, [signer])).toBe(NOTE);
  expect(openNote(NOTE, [parseVerifier(PUBLIC)])).toMatchObject({ text: TEXT, signedBy: [{ name: 'PeterNeumann' }] });
});

test('while a key is replaced, both keys sign, and either is enough', () => {
  const [old, next] = [newSigner('log'), newSigner('log')];
  const note = signNote(TEXT, [old, next]);
  for (const { verifier } of [old, next]) {
    expect(openNote(note, [verifier])).toMatchObject({ text: TEXT, signedBy: [{ text: verifier.text }] });
  }
});

const peter = parseVerifier(PUBLIC);

test.each([
  ['another text', NOTE.replace('answer', 'question'), 'has a wrong signature of PeterNeumann'],
  ['another signature', NOTE.replace('ZJkuBS', 'ZJkuBT'), 'has a wrong signature of PeterNeumann'],
  ['a short signature', NOTE.replace('JkuBS9UG/SffcvIAQx', ''), 'has a wrong signature of PeterNeumann'],
  ['a key of another name', NOTE.replace('— Peter', '— Paul'), 'is not signed by a known key'],
  ['no signature', `${TEXT}\n`, 'has a malformed signature line'],
  ['no blank line', TEXT, 'is not a signed note'],
  ['no line break at the end', NOTE.trimEnd(), 'is not a signed note'],
  ['a line that is no signature', `${NOTE}and so on\n`, 'has a malformed signature line'],
  ['too many signatures', TEXT + '\n' + NOTE.slice(TEXT.length + 1).repeat(17), 'has more than 16 signatures'],
  ['nothing', '', 'is not a signed note'],
])('a note is refused: %s', (_, note, fault) => {
  expect(openNote(note, [peter])).toEqual({ fault });
});

test('a signature of a known key that is wrong is not outweighed by another one', () => {
  const signer = newSigner('log');
  const note = signNote(TEXT, [signerOf('PeterNeumann', SEED), signer]).replace('ZJkuBS', 'ZJkuBT');
  expect(openNote(note, [peter, signer.verifier])).toEqual({ fault: 'has a wrong signature of PeterNeumann' });
});

test.each([`PRIVATE+KEY+${PUBLIC}`, PUBLIC.replace('c74f20a3', 'c74f20a4'), PUBLIC.slice(0, -4), 'PeterNeumann', ''])(
  'a public key is refused: %s',
  (text) => {
    expect(() => parseVerifier(text)).toThrow(SyntaxError);
  },
);

test('a name with a blank or a plus, and a short key, are refused', () => {
  for (const name of ['a b', 'a+b', '', 'a\n']) expect(() => newSigner(name)).toThrow(RangeError);
  expect(() => signerOf('log', randomBytes(31))).toThrow(RangeError);
});

test('a checkpoint states size, root and time under the name of its key', () => {
  const signer = newSigner('example.org/log');
  const sealedAt = new Date('2026-12-01T12:00:00.123Z');
  const { note } = signCheckpoint({ size: 42, root: EMPTY_ROOT }, sealedAt, [signer]);
  expect(note.split('\n').slice(0, 5)).toEqual([
    'example.org/log',
    '42',
    EMPTY_ROOT.toString('base64'),
    'sealed at 2026-12-01T12:00:00.123Z',
    '',
  ]);
  expect(openCheckpoint(note, [signer.verifier])).toEqual({
    checkpoint: {
      ...{ origin: 'example.org/log', size: 42, root: EMPTY_ROOT, sealedAt: '2026-12-01T12:00:00.123Z' },
      restored: false,
      note,
    },
  });
});

const root = EMPTY_ROOT.toString('base64');
test.each([
  ['no size', `log\n${root}\nsealed at 2026-12-01T12:00:00.123Z\n`],
  ['a size with a leading zero', `log\n042\n${root}\nsealed at 2026-12-01T12:00:00.123Z\n`],
  ['a size beyond 2^53', `log\n9007199254740993\n${root}\nsealed at 2026-12-01T12:00:00.123Z\n`],
  ['a short root', `log\n42\n${root.slice(4)}\nsealed at 2026-12-01T12:00:00.123Z\n`],
  ['a time without seconds', `log\n42\n${root}\nsealed at 2026-12-01T12:00Z\n`],
  ['no time', `log\n42\n${root}\n`],
  ['no origin', `\n42\n${root}\nsealed at 2026-12-01T12:00:00.123Z\n`],
])('a signed note is no checkpoint: %s', (_, text) => {
  const signer = newSigner('log');
  expect(openCheckpoint(signNote(text, [signer]), [signer.verifier])).toEqual({
    fault: 'is not a checkpoint of a log',
  });
});
