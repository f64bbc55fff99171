import * as fc from 'fast-check';

import { DockerFrames } from '../../../src/platform/sandbox/docker-frames.js';
import { OutputCapture } from '../../../src/platform/sandbox/output-capture.js';
import { RecordScanner } from '../../../src/platform/sandbox/record-scanner.js';

/** The same bytes in pieces cut at arbitrary places. */
const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? bytes.length);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
};
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 });
const bytes = (maxLength = 60) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

const frame = (stream: number, content: Buffer): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
};

describe('DockerFrames', () => {
  it('gives each stream its bytes in order, wherever the connection cuts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(1, 2), bytes())), sizes, (frames, pieces) => {
        const got = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
        const demux = new DockerFrames((stream, chunk) => got[stream].push(chunk));
        for (const piece of cut(Buffer.concat(frames.map(([stream, content]) => frame(stream, content))), pieces)) {
          demux.write(piece);
        }
        const of = (wanted: number) => Buffer.concat(frames.filter(([stream]) => stream === wanted).map(([, b]) => b));
        expect(Buffer.concat(got.stdout)).toEqual(of(1));
        expect(Buffer.concat(got.stderr)).toEqual(of(2));
      }),
    );
  });

  it('refuses a stream that is not multiplexed', () => {
    expect(() => new DockerFrames(() => {}).write(Buffer.from('plain text'))).toThrow('not multiplexed');
  });

  it('passes on the beginning of a frame of 4 GiB at once', () => {
    const got: Buffer[] = [];
    new DockerFrames((_, chunk) => got.push(chunk)).write(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255, 65]));
    expect(got).toEqual([Buffer.from('A')]);
  });
});

describe('OutputCapture', () => {
  it('keeps all, or head and tail, as a plain slice would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 64 }), bytes(300), sizes, (cap, written, pieces) => {
        const capture = new OutputCapture(cap);
        for (const piece of cut(written, pieces)) capture.write(piece);
        const over = written.length > cap;
        const head = Math.ceil(cap / 2);
        const kept = over
          ? Buffer.concat([written.subarray(0, head), written.subarray(written.length - (cap - head))])
          : written;
        expect(capture.result()).toEqual({ content: kept, bytesTotal: written.length, truncated: over });
      }),
    );
  });

  it('takes no more memory than it may keep, however much is written', () => {
    const [cap, chunk] = [64 * 1024, Buffer.alloc(64 * 1024)];
    const capture = new OutputCapture(cap);
    const before = process.memoryUsage().arrayBuffers;
    for (let written = 0; written < 1_000; written += 1) capture.write(chunk);
    // Within one turn nothing else allocates; 62 MiB went through.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * cap);
    expect(capture.result()).toMatchObject({ bytesTotal: 1_000 * cap, truncated: true });
  });

  it('does not keep the chunk it was given', () => {
    const capture = new OutputCapture(10);
    const chunk = Buffer.from('abc');
    capture.write(chunk);
    chunk.fill(0);
    expect(Buffer.from(capture.result().content).toString()).toBe('abc');
  });
});

describe('RecordScanner', () => {
  const nonce = Buffer.from('0123456789abcdef0123456789abcdef');
  const scan = (input: Buffer, pieces: readonly number[]) => {
    const data: Buffer[] = [];
    const records: string[] = [];
    const scanner = new RecordScanner(nonce, { data: (b) => data.push(b), record: (text) => records.push(text) });
    for (const piece of cut(input, pieces)) scanner.write(piece);
    scanner.end();
    return { data: Buffer.concat(data), records };
  };
  /** Output that teases: parts of the nonce, and anything else. */
  const teasing = fc.oneof(
    bytes(),
    fc.integer({ min: 1, max: 31 }).map((length) => nonce.subarray(0, length)),
    fc.constant(Buffer.from('end status=0\n')),
  );
  const record = fc.stringMatching(/^[a-z =0-9]{0,30}$/);

  it('takes records out and leaves every other byte as it was', () => {
    const part = fc.oneof(
      fc.record({ data: teasing, record: fc.constant(null) }),
      fc.record({ data: fc.constant(Buffer.alloc(0)), record }),
    );
    fc.assert(
      fc.property(fc.array(part), sizes, (parts, pieces) => {
        // A separator: two teasing parts side by side could make a real nonce.
        const separator = Buffer.from('|');
        const input = parts.map((p) => (p.record === null ? p.data : Buffer.from(`${nonce.toString()}${p.record}\n`)));
        const whole = Buffer.concat(input.flatMap((b) => [b, separator]));
        const { data, records } = scan(whole, pieces);
        expect(records).toEqual(parts.flatMap((p) => (p.record === null ? [] : [p.record])));
        expect(data).toEqual(Buffer.concat(parts.flatMap((p) => [p.data, separator])));
      }),
    );
  });

  it('passes data on before the stream goes on', () => {
    const data: string[] = [];
    const scanner = new RecordScanner(nonce, { data: (b) => data.push(b.toString()), record: () => {} });
    scanner.write(Buffer.from('prompt> '));
    expect(data).toEqual(['prompt> ']);
    scanner.write(Buffer.from('x0123'));
    expect(data).toEqual(['prompt> ', 'x']);
  });

  it('gives up on a record that does not end', () => {
    expect(() => scan(Buffer.concat([nonce, Buffer.alloc(5_000, 'x')]), [10_000])).toThrow('does not end');
  });
});
