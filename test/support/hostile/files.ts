import type { SkippedFile } from '../../../src/sandbox/sandbox.js';

/** A python program that leaves something other than files where its patterns look. */
export interface HostileFiles {
  readonly leaves: string;
  /** The result in words, for the report. */
  readonly gets: string;
  readonly script: string;
  readonly outputs: readonly string[];
  readonly memoryMb?: number;
  readonly expected: {
    /** Path and text of each; the number of a lot of them. */
    readonly files: readonly (readonly [path: string, text: string])[] | number;
    readonly skipped: readonly SkippedFile[];
    readonly notes: readonly string[];
  };
}

const NOT_REGULAR = 'not_a_regular_file' as const;

/** Each leaves this file as well, which must arrive. */
const GOOD = 'open("good", "w").write("good")\n';
const GOOD_FILE = ['good', 'good'] as const;
const skipped = (reason: SkippedFile['reason'], ...paths: string[]): SkippedFile[] =>
  paths.map((path) => ({ path, reason }));

export const HOSTILE_FILES: readonly HostileFiles[] = [
  {
    leaves: 'symbolic links to files, folders, devices and magic links',
    gets: 'none of them followed',
    script: `import os
os.mkdir("real"); open("real/in", "w").write("in")
for name, target in {"passwd": "/etc/passwd", "root": "/", "up": "..", "self": "/proc/self/fd/0",
                     "zero": "/dev/zero", "dir": "real", "file": "good", "loop": "loop"}.items(): os.symlink(target, name)`,
    outputs: ['**', 'root/etc/*', 'up/*', 'dir/*'],
    expected: {
      files: [GOOD_FILE, ['real/in', 'in']],
      skipped: skipped(NOT_REGULAR, 'dir', 'file', 'loop', 'passwd', 'root', 'self', 'up', 'zero'),
      notes: ['no file matches these of outputs, counted from 0: 1, 2, 3'],
    },
  },
  {
    leaves: 'a socket and a FIFO',
    gets: 'neither; it can make no FIFO',
    script: `import os, socket
try: os.mkfifo("fifo")
except PermissionError: pass
socket.socket(socket.AF_UNIX).bind("socket")`,
    outputs: ['*'],
    expected: { files: [GOOD_FILE], skipped: skipped(NOT_REGULAR, 'socket'), notes: [] },
  },
  {
    leaves: 'hard links',
    gets: 'each as a file, with its bytes counted',
    script: `import os
os.link("good", "same"); open("/tmp/above", "w").write("above"); os.link("/tmp/above", "below")
try: os.link("/etc/passwd", "passwd")
except OSError: pass`,
    outputs: ['*'],
    expected: { files: [['below', 'above'], GOOD_FILE, ['same', 'good']], skipped: [], notes: [] },
  },
  {
    leaves: 'a sparse file of a terabyte',
    gets: 'too_large, without reading it',
    script: 'open("big", "wb").truncate(1 << 40)',
    outputs: ['*'],
    expected: { files: [GOOD_FILE], skipped: skipped('too_large', 'big'), notes: [] },
  },
  {
    leaves: 'more bytes than it may keep',
    gets: 'the first files by name that fit',
    script: 'for name in "hij": open(name, "wb").write(b"x" * 40_000)',
    outputs: ['*'],
    expected: { files: [GOOD_FILE, ['h', 'x'.repeat(40_000)]], skipped: skipped('too_large', 'i', 'j'), notes: [] },
  },
  {
    leaves: 'a million files',
    gets: 'the first of those that its inodes allow',
    script: `try:
    for n in range(1_000_000): open(f"n{n:06}", "w").close()
except OSError: pass`,
    outputs: ['*'],
    expected: {
      files: 8,
      skipped: [],
      notes: [
        'the limit of 16,384 files in /tmp was reached',
        expect.stringMatching(
          /^the limit of 8 output files, or of the bytes of their paths, was reached \(16,\d{3} left out\)$/,
        ),
      ],
    },
  },
  {
    leaves: 'folders 500 deep',
    gets: 'what is at most 32 folders deep',
    script: `import os
for n in range(500): os.mkdir("d"); os.chdir("d")
open("bottom", "w").close()`,
    outputs: ['good', '**/bottom'],
    expected: {
      files: [GOOD_FILE],
      skipped: skipped('too_deep', Array.from({ length: 33 }, () => 'd').join('/')),
      notes: ['no file matches these of outputs, counted from 0: 1'],
    },
  },
  {
    leaves: 'names with newlines, control characters and invalid UTF-8',
    gets: 'invalid_name',
    script: `for name in [b"new\\nline", b"bell\\x07", b"\\xff\\xfe", b"c1\\xc2\\x9b", b"\\xed\\xa0\\x80", "\\u202e\\u00e9 \\"%".encode()]:
    open(name, "w").write("odd")`,
    outputs: ['*'],
    expected: {
      files: [GOOD_FILE, ['\u202Eé "%', 'odd']],
      skipped: skipped('invalid_name', 'bell\uFFFD', 'c1\uFFFD', 'new\uFFFDline', '\uFFFD\uFFFD\uFFFD', '\uFFFD\uFFFD'),
      notes: [],
    },
  },
  {
    leaves: 'names such as `...` and `-rf`, and hidden ones',
    gets: 'files, hidden ones only by a pattern with a dot',
    script: 'for name in ["...", "-rf", "..x", ".hidden", " ", "~", "$(id)", "*"]: open(name, "w").write("odd")',
    outputs: ['*', '..?'],
    expected: {
      files: [' ', '$(id)', '*', '-rf', '...', '..x', 'good', '~'].map((path) => [
        path,
        path === 'good' ? path : 'odd',
      ]),
      skipped: [],
      notes: [],
    },
  },
  {
    leaves: 'paths of more than 255 bytes',
    gets: 'path_too_long',
    script: `import os
name = "n" * 200; os.mkdir(name); open(name + "/" + name, "w").close()`,
    outputs: ['good', 'n*/n*'],
    expected: {
      files: [GOOD_FILE],
      skipped: skipped('path_too_long', `${'n'.repeat(200)}/${'n'.repeat(54)}`),
      notes: [],
    },
  },
  {
    leaves: 'files and folders that it may not read itself',
    gets: 'unreadable',
    script: `import os
open("closed", "w").close(); os.chmod("closed", 0)
os.mkdir("shut"); open("shut/in", "w").close(); os.chmod("shut", 0)`,
    outputs: ['**'],
    expected: { files: [GOOD_FILE], skipped: skipped('unreadable', 'closed', 'shut'), notes: [] },
  },
  {
    leaves: 'a process that goes on writing',
    gets: 'what was written when all its processes were dead',
    script: `import os, time
if os.fork() == 0:
    os.setsid()
    with open("grows", "wb", 0) as file:
        while True: file.write(b"x"); file.truncate(1); file.seek(0)
while not os.path.exists("grows"): time.sleep(0.001)`,
    outputs: ['*'],
    expected: { files: 2, skipped: [], notes: [] },
  },
  {
    leaves: 'files, and ends at its limit of memory',
    gets: 'the files',
    script: 'x = []\nwhile True: x.append(bytearray(1 << 20))',
    outputs: ['good'],
    memoryMb: 64,
    expected: {
      files: [GOOD_FILE],
      skipped: [],
      notes: [expect.stringMatching(/^the limit of 64 MiB of memory was reached/)],
    },
  },
];

/** As in docs/sandbox.md. */
export const FILES_REPORT: readonly (readonly string[])[] = [
  ['the program leaves', 'the run keeps'],
  ...HOSTILE_FILES.map(({ leaves, gets }) => [leaves, gets]),
];

export const scriptOf = ({ script }: HostileFiles): string => GOOD + script;
