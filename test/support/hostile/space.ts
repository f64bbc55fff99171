import { DONE, type HostileProgram, OUT_OF_MEMORY } from './program.js';

/** Programs that try to exceed their memory and disk. */
export const SPACE: readonly HostileProgram[] = [
  {
    wants: 'all memory',
    scripts: {
      python: 'print("before", flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))',
      javascript: 'console.log("before"); const x = []; for (;;) x.push(new Array(100_000).fill(Math.random()))',
      typescript: 'console.log("before"); const x: Buffer[] = []; for (;;) x.push(Buffer.alloc(1 << 20, 1))',
      // The shell's child is killed; the shell exits with 137.
      bash: 'echo before; x=$(tail /dev/zero)',
      go: `package main
import "fmt"
var all [][]byte
func main() {
  fmt.Println("before")
  for { block := make([]byte, 1<<20); for n := range block { block[n] = 1 }; all = append(all, block) }
}`,
    },
    everywhere: 'python',
    meets: 'out_of_memory, its output kept',
    expected: { ...OUT_OF_MEMORY, out: 'before\n' },
  },
  {
    wants: 'to fake an out-of-memory end',
    scripts: {
      python: 'import os; os._exit(137)',
      javascript: 'process.exit(137)',
      bash: 'exit 137',
      go: 'package main\nimport "os"\nfunc main() { os.Exit(137) }',
    },
    meets: 'reported as an exit code',
    expected: { reason: 'exit_code', returnCode: 137 },
  },
  {
    wants: 'to fill /tmp',
    scripts: {
      python: `try:
    with open("/tmp/big", "wb", 0) as file:
        while True: file.write(bytes(1 << 20))
except OSError: print("refused")`,
      javascript: `const fs = require('node:fs');
const file = fs.openSync('/tmp/big', 'w');
try { for (;;) fs.writeSync(file, Buffer.alloc(1 << 20)); } catch ({ code }) { console.log(code === 'ENOSPC' ? 'refused' : code); }`,
      bash: 'head -c 1G /dev/zero >/tmp/big 2>/dev/null && echo filled || echo refused',
      go: `package main
import ("errors"; "fmt"; "os"; "syscall")
func main() {
  file, err := os.Create("/tmp/big")
  for err == nil { _, err = file.Write(make([]byte, 1<<20)) }
  if errors.Is(err, syscall.ENOSPC) { fmt.Println("refused") } else { fmt.Println(err) }
}`,
    },
    limits: { memory_mb: 512 },
    everywhere: 'bash',
    meets: 'ENOSPC',
    expected: { ...DONE, out: 'refused\n' },
  },
  {
    wants: 'all inodes',
    scripts: {
      python: `import os
try:
    for n in range(1_000_000): os.close(os.open(f"/tmp/{n}", os.O_CREAT))
except OSError as error: print(error.strerror)`,
      javascript: `const fs = require('node:fs');
try { for (let n = 0; n < 1_000_000; n += 1) fs.closeSync(fs.openSync('/tmp/' + n, 'w')); }
catch ({ code }) { console.log(code === 'ENOSPC' ? 'No space left on device' : code); }`,
      bash: 'for ((n = 0; n < 1000000; n++)); do { : >/tmp/$n; } 2>/dev/null || break; done; : 2>&1 >/tmp/more | sed "s/.*: //"',
    },
    everywhere: 'python',
    meets: 'ENOSPC',
    expected: { ...DONE, out: 'No space left on device\n' },
  },
  {
    wants: 'a sparse file of a terabyte',
    scripts: {
      python: `import os, shutil
with open("/tmp/sparse", "wb") as file: os.ftruncate(file.fileno(), 1 << 40)
try:
    with open("/tmp/sparse", "rb") as file, open("/tmp/copy", "wb") as copy: shutil.copyfileobj(file, copy)
except OSError: print("refused")`,
      bash: 'truncate -s 1T /tmp/sparse; cat /tmp/sparse >/tmp/copy 2>/dev/null || echo refused',
    },
    meets: 'a file that occupies no space, and ENOSPC for its copy',
    expected: { ...DONE, out: 'refused\n' },
  },
];
