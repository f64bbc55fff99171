import * as fc from 'fast-check';

import { DockerFrames } from '../../../src/sandbox/docker-frames.js';
import type { EndReport } from '../../../src/sandbox/end-of-run.js';
import { jobFrame, killFrame, type LauncherMessage, LauncherMessages } from '../../../src/sandbox/launcher-messages.js';
import { RunOutput } from '../../../src/sandbox/run-output.js';
import { endReport } from '../../support/builders/end-reports.js';

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
  it('assigns bytes to their streams in order, wherever chunks end', () => {
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

describe('LauncherMessages', () => {
  const launcherFrame = (type: string, payload: Buffer): Buffer => {
    const header = Buffer.alloc(5);
    header.write(type, 'latin1');
    header.writeUInt32BE(payload.length, 1);
    return Buffer.concat([header, payload]);
  };
  const ofJob = (type: string, job: number, payload: Buffer | string): Buffer => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(job);
    return launcherFrame(type, Buffer.concat([number, Buffer.from(payload as Buffer)]));
  };
  const HELLO = launcherFrame('H', Buffer.from('protocol=6\ncgroup=v1\nkernel_memory=4096\npid=1\n'));
  const TRAILER =
    'status=256\nkilled=none\nwall_us=1000\ncpu_us=-1\nmemory_peak=-1\n' +
    'memory_source=none\noom_kills=0\n' +
    'pids_limit_hits=-1\ntmp_full=0\ntmp_inodes_full=0\nshm_full=0\nshm_inodes_full=0\n' +
    'stdout_bytes=1\nstderr_bytes=2\nstdout_truncated=0\nstderr_truncated=1\npreload=unused\n';
  const REPORT = endReport({
    waitStatus: 256,
    cpuTimeMs: null,
    memoryPeakBytes: null,
    bytes: { stdout: 1, stderr: 2 },
    truncated: { stdout: false, stderr: true },
  });
  const read = (...pieces: Buffer[]): LauncherMessage[] => {
    const got: LauncherMessage[] = [];
    const messages = new LauncherMessages((message) =>
      // The next chunk may overwrite it like this.
      got.push('bytes' in message ? { ...message, bytes: Buffer.from(message.bytes) } : message),
    );
    for (const piece of pieces) messages.write(piece);
    return got;
  };

  const streamOf = (message: LauncherMessage) => (message.kind === 'output' ? message.stream : message.kind);

  /** Output may arrive in any parts: adjacent ones of one job and stream are joined, and empty ones dropped. */
  const joined = (all: readonly LauncherMessage[]): LauncherMessage[] => {
    const result: LauncherMessage[] = [];
    for (const message of all) {
      const last = result.at(-1);
      if (!('bytes' in message)) result.push(message);
      else if (last && 'bytes' in last && last.job === message.job && streamOf(last) === streamOf(message)) {
        result[result.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, message.bytes]) };
      } else if (message.bytes.length > 0) result.push(message);
    }
    return result;
  };

  /** The messages' meaning and their format. */
  const said: fc.Arbitrary<readonly [LauncherMessage, Buffer]> = fc
    .tuple(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      bytes(),
      fc.constantFrom('H', 'Z', 'S', 'O', 'o', 'E', 'e', 'F', 'T', 'R'),
    )
    .map(([job, content, type]) => {
      if (type === 'H') return [{ kind: 'hello', kernelMemoryBytes: 4_096 }, HELLO];
      if (type === 'Z') return [{ kind: 'preload', state: 'ready' }, launcherFrame('Z', Buffer.from('ready'))];
      if (type === 'S') return [{ kind: 'started', job }, ofJob(type, job, '')];
      if (type === 'T') return [{ kind: 'ended', job, report: REPORT }, ofJob(type, job, TRAILER)];
      if (type === 'R') return [{ kind: 'refused', job, message: 'input: ünfit' }, ofJob(type, job, 'input: ünfit')];
      if (type === 'F') return [{ kind: 'files', job, bytes: content }, ofJob(type, job, content)];
      const stream = type === 'O' || type === 'o' ? 'stdout' : 'stderr';
      return [{ kind: 'output', job, stream, bytes: content }, ofJob(type, job, content)];
    });

  it('are the same wherever chunks end', () => {
    fc.assert(
      fc.property(fc.array(said), sizes, (all, pieces) => {
        const sent = Buffer.concat(all.map(([, frameOf]) => frameOf));
        expect(joined(read(...cut(sent, pieces)))).toEqual(joined(all.map(([message]) => message)));
      }),
    );
  });

  it('tell of the first files even if they are empty', () => {
    expect(read(ofJob('F', 7, ''))).toEqual([{ kind: 'files', job: 7, bytes: Buffer.alloc(0) }]);
  });

  it('are passed on when complete, several in one chunk or one in several', () => {
    const start = ofJob('S', 1, '');
    const output = ofJob('O', 1, 'out');
    expect(read(start.subarray(0, -1))).toEqual([]);
    expect(read(start, output.subarray(0, 4)).map(({ kind }) => kind)).toEqual(['started']);
    expect(read(Buffer.concat([start, output])).map(({ kind }) => kind)).toEqual(['started', 'output']);
  });

  it('pass output on before its frame is complete', () => {
    const output = ofJob('e', 7, 'out');
    expect(read(output.subarray(0, -1))).toEqual([
      { kind: 'output', job: 7, stream: 'stderr', bytes: Buffer.from('ou') },
    ]);
  });

  it('keep no reference to a chunk that is overwritten before its frame is complete', () => {
    const whole = ofJob('R', 1, 'isolation: no');
    const chunk = Buffer.from(whole.subarray(0, 12));
    const got: LauncherMessage[] = [];
    const messages = new LauncherMessages((message) => got.push(message));
    messages.write(chunk);
    chunk.fill(0);
    messages.write(whole.subarray(12));
    expect(got).toEqual([{ kind: 'refused', job: 1, message: 'isolation: no' }]);
  });

  it('accept a payload of 64 KiB, and refuse a longer one before it arrives', () => {
    const largest = ofJob('O', 1, Buffer.alloc(64 * 1024 - 4));
    expect(read(largest)).toHaveLength(1);
    const tooLong = Buffer.from([79, 0, 1, 0, 1]);
    expect(() => read(tooLong)).toThrow('too long');
  });

  it.each([
    ['an unknown type', ofJob('X', 1, '')],
    ['a type of the other direction', ofJob('J', 1, '')],
    ['a message without a job', launcherFrame('S', Buffer.from([0, 0, 1]))],
    ['output without a job', launcherFrame('O', Buffer.from([0, 0, 1]))],
    ['an invalid trailer', ofJob('T', 1, 'status=0\n')],
    ['another protocol', launcherFrame('H', Buffer.from('protocol=1\n'))],
    ['an unknown preload', launcherFrame('Z', Buffer.from('maybe'))],
    ['no protocol', launcherFrame('H', Buffer.alloc(0))],
  ])('refuse %s', (_, wrong) => {
    expect(() => read(HELLO, wrong)).toThrow();
  });

  it('are sent in the same format', () => {
    const large = Buffer.alloc(20_000, 'x');
    const parts = jobFrame([Buffer.from('j'), Buffer.from('ob'), large]);
    expect(Buffer.concat(parts)).toEqual(launcherFrame('J', Buffer.concat([Buffer.from('job'), large])));
    expect(parts.map(({ length }) => length)).toEqual([8, large.length]);
    expect(parts[1]).toBe(large);
    expect(killFrame(258)).toEqual(ofJob('K', 258, ''));
  });
});

describe('RunOutput', () => {
  const report = (stdout: readonly [number, boolean], stderr: readonly [number, boolean]): EndReport =>
    endReport({
      bytes: { stdout: stdout[0], stderr: stderr[0] },
      truncated: { stdout: stdout[1], stderr: stderr[1] },
    });

  it('joins chunks, head and tail, for each stream', () => {
    const output = new RunOutput(4);
    output.add('stdout', Buffer.from('head'));
    output.add('stderr', Buffer.from('err'));
    output.add('stdout', Buffer.from('tail'));
    expect(output.result(report([1_000, true], [3, false]))).toEqual({
      stdout: { content: Buffer.from('headtail'), bytesTotal: 1_000, truncated: true, headBytes: 4 },
      stderr: { content: Buffer.from('err'), bytesTotal: 3, truncated: false },
    });
  });

  it('without a report treats output of the head’s length as truncated', () => {
    const output = new RunOutput(4);
    output.add('stdout', Buffer.from('head'));
    output.add('stderr', Buffer.from('err'));
    expect(output.result(null)).toEqual({
      stdout: { content: Buffer.from('head'), bytesTotal: 4, truncated: true },
      stderr: { content: Buffer.from('err'), bytesTotal: 3, truncated: false },
    });
  });

  it('does not keep a reference to the given chunk', () => {
    const output = new RunOutput(10);
    const chunk = Buffer.from('abc');
    output.add('stdout', chunk);
    chunk.fill(0);
    expect(Buffer.from(output.result(null).stdout.content).toString()).toBe('abc');
  });
});
