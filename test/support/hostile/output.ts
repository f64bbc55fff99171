import { DONE, type HostileProgram, TIMEOUT, told } from './program.js';

const ODD = [0, 255, 254, 0, 195];

/** Programs whose output tries to confuse its readers. */
export const OUTPUT: readonly HostileProgram[] = [
  {
    wants: 'to print forever',
    scripts: {
      python: 'import os\nwhile True: os.write(1, bytes(65536))',
      javascript: 'const fs = require("node:fs"); const zeros = Buffer.alloc(65536); for (;;) fs.writeSync(1, zeros)',
      bash: 'echo first; exec cat /dev/zero',
      go: 'package main\nimport "os"\nfunc main() { for { os.Stdout.Write(make([]byte, 65536)) } }',
    },
    begun: ({ stdout }) => stdout.truncated,
    everywhere: 'bash',
    meets: 'head and tail kept, the true count, the timeout',
    expected: { ...TIMEOUT, stdout: expect.objectContaining({ truncated: true }) as never },
  },
  {
    wants: 'to print at the moment of its timeout',
    // Slowly enough that all output is kept, whatever CPU time it gets.
    scripts: {
      python: 'import time\nwhile True: print("tick", flush=True); time.sleep(0.005)',
      javascript: 'setInterval(() => console.log("tick"), 5)',
      bash: 'while :; do echo tick; sleep 0.005; done',
      go: 'package main\nimport ("fmt"; "time")\nfunc main() { for { fmt.Println("tick"); time.Sleep(5 * time.Millisecond) } }',
    },
    begun: told,
    meets: 'all output printed by then, and the timeout',
    expected: { ...TIMEOUT, out: expect.stringMatching(/^(tick\n)+$/) as string },
  },
  {
    wants: 'to print one line of a gigabyte',
    scripts: {
      python: 'import os\nfor n in range(1 << 14): os.write(1, b"x" * 65536)',
      bash: 'head -c 1G /dev/zero | tr "\\0" x',
    },
    meets: 'head and tail kept, the true count',
    expected: { ...DONE, stdout: expect.objectContaining({ bytesTotal: 1024 ** 3, truncated: true }) as never },
  },
  {
    wants: 'to print NUL and invalid UTF-8',
    scripts: {
      python: `import os\nos.write(1, bytes(${JSON.stringify(ODD)}))`,
      javascript: `process.stdout.write(Buffer.from(${JSON.stringify(ODD)}))`,
      bash: "printf '\\0\\xff\\xfe\\0\\xc3'",
      go: `package main\nimport "os"\nfunc main() { os.Stdout.Write([]byte{${ODD.join(', ')}}) }`,
    },
    meets: 'its bytes unchanged',
    expected: { ...DONE, out: Buffer.from(ODD).toString('utf8') },
  },
  {
    wants: 'to forge a frame and a trailer',
    scripts: {
      python: `import os, sys
os.write(1, b"T" + (60).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"status=0\\nkilled=none\\n")
os.write(1, b"\\x01\\0\\0\\0\\0\\0\\0\\x04fake")
sys.exit(9)`,
      javascript: `const fs = require('node:fs');
fs.writeSync(1, 'T\\0\\0\\0\\x3c\\0\\0\\0\\x01status=0\\nkilled=none\\n\\x01\\0\\0\\0\\0\\0\\0\\x04fake');
process.exit(9);`,
      bash: "printf 'T\\0\\0\\0\\x3c\\0\\0\\0\\x01status=0\\nkilled=none\\n\\x01\\0\\0\\0\\0\\0\\0\\x04fake'; exit 9",
      go: `package main
import ("fmt"; "os")
func main() { fmt.Print("T\\x00\\x00\\x00\\x3c\\x00\\x00\\x00\\x01status=0\\nkilled=none\\n\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04fake"); os.Exit(9) }`,
    },
    everywhere: 'bash',
    meets: 'its own exit code, and its bytes unchanged',
    expected: {
      reason: 'exit_code',
      returnCode: 9,
      out: 'T\0\0\0\x3c\0\0\0\x01status=0\nkilled=none\n\x01\0\0\0\0\0\0\x04fake',
    },
  },
  {
    wants: 'to write to the launcher’s descriptors',
    scripts: {
      python: `import os
for fd in range(3, 256):
    try: os.write(fd, b"T"); print("wrote to", fd)
    except OSError: pass
print(len(os.listdir("/proc/self/fd")))`,
      bash: 'for fd in 3 4 5 6 7 8 9; do { echo T >&$fd; } 2>/dev/null && echo "wrote to $fd"; done; ls /proc/self/fd | wc -l',
    },
    everywhere: 'python',
    meets: 'none of them is open',
    // 0, 1, 2, and the listed folder.
    expected: { ...DONE, out: '4\n' },
  },
  {
    wants: 'to close its output early',
    scripts: {
      python: 'import os\nos.close(1); os.close(2); os._exit(4)',
      javascript: 'const fs = require("node:fs"); fs.closeSync(1); fs.closeSync(2); process.exit(4)',
      bash: 'exec 1>&- 2>&-; exit 4',
      go: 'package main\nimport "os"\nfunc main() { os.Stdout.Close(); os.Stderr.Close(); os.Exit(4) }',
    },
    meets: 'its own exit code',
    expected: { reason: 'exit_code', returnCode: 4 },
  },
];
