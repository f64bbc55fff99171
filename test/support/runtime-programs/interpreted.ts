import type { RuntimePrograms } from './programs.js';

const PYTHON: RuntimePrograms = {
  hello: 'print("Hello, wörld ✓ 𝕌")',
  echo: `import os, sys
print(sys.stdin.read(), end="")
for word in sys.argv[1:]: print(word)
print(os.environ["GREETING"])
print(open("data.txt").read(), end="")
print("to stderr", file=sys.stderr)
sys.exit(7)`,
  faulty: { script: 'x = 1\n\nx = = 2\n', message: /File ".*main\.py", line 3[^]*SyntaxError/ },
  hog: 'print("before", flush=True)\nx = []\nwhile True: x.append(bytearray(1 << 20))',
  loop: 'print("before", flush=True)\nwhile True: pass',
  recursion: { script: 'def f(n): return f(n + 1) + 1\nf(0)', message: /RecursionError/ },
  threads: `import threading
total, lock = [0], threading.Lock()
def add(n):
    with lock: total[0] += n
threads = [threading.Thread(target=add, args=(n,)) for n in range(1, 5)]
for each in threads: each.start()
for each in threads: each.join()
print(total[0])`,
};

const node = (faulty: RuntimePrograms['faulty']): RuntimePrograms => ({
  hello: 'console.log("Hello, wörld ✓ 𝕌")',
  echo: `const fs = require("node:fs");
process.stdout.write(fs.readFileSync(0));
for (const word of process.argv.slice(2)) console.log(word);
console.log(process.env.GREETING);
process.stdout.write(fs.readFileSync("data.txt"));
console.error("to stderr");
process.exitCode = 7;`,
  faulty,
  hog: 'console.log("before"); const x = []; for (;;) x.push(Buffer.alloc(1 << 20, 1));',
  loop: 'console.log("before"); for (;;);',
  recursion: { script: 'const f = (n) => f(n + 1) + 1;\nf(0)', message: /Maximum call stack size exceeded/ },
  threads: `const { Worker, isMainThread } = require("node:worker_threads");
const sum = new Int32Array(new SharedArrayBuffer(4));
const code = 'const { workerData } = require("node:worker_threads"); Atomics.add(workerData.sum, 0, workerData.n)';
Promise.all([1, 2, 3, 4].map((n) => new Promise((end) =>
  new Worker(code, { eval: true, workerData: { sum, n } }).on("exit", end)))).then(() => console.log(sum[0]));`,
});

export const INTERPRETED: Readonly<Record<string, RuntimePrograms>> = {
  python: PYTHON,
  'python-data': PYTHON,
  javascript: node({ script: 'const x = 1;\n\nconst = 2;\n', message: /main\.js:3[^]*SyntaxError/ }),
  typescript: node({ script: 'const x: number = 1;\n\nconst = 2;\n', message: /main\.ts:3/ }),
  bash: {
    hello: 'echo "Hello, wörld ✓ 𝕌"',
    echo: 'cat\nprintf "%s\\n" "$@"\necho "$GREETING"\ncat data.txt\necho "to stderr" >&2\nexit 7',
    faulty: { script: 'x=1\n\nfi\n', message: /main\.sh: line 3: syntax error/ },
    hog: 'echo before; x=$(tail /dev/zero)',
    loop: 'echo before; while :; do :; done',
    recursion: { script: 'f() { f; }; f', message: /^$|Segmentation/ },
  },
  ruby: {
    hello: 'puts "Hello, wörld ✓ 𝕌"',
    echo: `print STDIN.read
ARGV.each { |word| puts word }
puts ENV["GREETING"]
print File.read("data.txt")
warn "to stderr"
exit 7`,
    faulty: { script: 'x = 1\n\ny = )\n', message: /main\.rb:3: .*syntax error/ },
    hog: 'puts "before"; STDOUT.flush; x = []; loop { x << "x" * (1 << 20) }',
    loop: 'puts "before"; STDOUT.flush; loop {}',
    recursion: { script: 'def f(n) = f(n + 1) + 1\nf(0)', message: /stack level too deep/ },
    threads:
      'sum = 0; lock = Mutex.new; (1..4).map { |n| Thread.new { lock.synchronize { sum += n } } }.each(&:join); puts sum',
  },
  php: {
    hello: '<?php echo "Hello, wörld ✓ 𝕌\\n";',
    echo: `<?php
echo stream_get_contents(STDIN);
foreach (array_slice($argv, 1) as $word) echo "$word\\n";
echo getenv("GREETING"), "\\n", file_get_contents("data.txt");
fwrite(STDERR, "to stderr\\n");
exit(7);`,
    faulty: { script: '<?php\n$x = 1;\n$y = );\n', message: /Parse error: .* in .*main\.php on line 3/ },
    hog: '<?php echo "before\\n"; $x = []; for (;;) $x[] = str_repeat("x", 1 << 20);',
    loop: '<?php echo "before\\n"; for (;;);',
    recursion: {
      script: '<?php function f($n) { return f($n + 1) + 1; } f(0);',
      message: /^$|Maximum call stack size/,
    },
  },
  perl: {
    hello: 'print "Hello, wörld ✓ 𝕌\\n";',
    echo: `print <STDIN>;
print "$_\\n" for @ARGV;
print "$ENV{GREETING}\\n";
open my $data, "<", "data.txt" or die; print <$data>;
print STDERR "to stderr\\n";
exit 7;`,
    faulty: { script: 'my $x = 1;\n\nmy = 2;\n', message: /syntax error at main\.pl line 3/ },
    hog: '$| = 1; print "before\\n"; my @x; push @x, "x" x (1 << 20) while 1;',
    loop: '$| = 1; print "before\\n"; while (1) {}',
    recursion: { script: 'sub f { return f($_[0] + 1) + 1 } f(0);', message: /^$/ },
    threads:
      'use threads; use threads::shared; my $sum :shared = 0; $_->join for map { my $n = $_; threads->create(sub { lock($sum); $sum += $n }) } 1..4; print "$sum\\n";',
  },
  lua: {
    hello: 'print("Hello, wörld ✓ 𝕌")',
    echo: `io.write(io.read("a"))
for _, word in ipairs(arg) do print(word) end
print(os.getenv("GREETING"))
io.write(io.open("data.txt"):read("a"))
io.stderr:write("to stderr\\n")
os.exit(7, true)`,
    faulty: { script: 'x = 1\n\ny = )\n', message: /main\.lua:3: / },
    hog: 'print("before"); io.flush(); local x = {}; while true do x[#x + 1] = ("x"):rep(1 << 20) .. #x end',
    loop: 'print("before"); io.flush(); while true do end',
    recursion: { script: 'local function f(n) return f(n + 1) + 1 end\nf(0)', message: /stack overflow/ },
  },
  sqlite: {
    hello: "select 'Hello, wörld ✓ 𝕌';",
    // A script of SQL has no exit code of its own, and reads standard input only if it says so.
    echo: `.shell cat
.shell printenv GREETING
.shell cat data.txt
.shell echo to stderr >&2
.exit 7`,
    faulty: { script: 'select 1;\n\nselect x;\n', message: /(near|line) 3.*no such column: x|no such column: x/ },
    hog: "select 'before';\nwith recursive x(n) as (select 1 union all select n + 1 from x limit 1000) select length(group_concat(hex(randomblob(1000000)))) from x;",
    loop: "select 'before';\nwith recursive x(n) as (select 1 union all select n + 1 from x) select count(*) from x;",
    recursion: {
      script:
        'create table t(x);\ncreate trigger a after insert on t begin insert into t values (new.x + 1); end;\npragma recursive_triggers = 1;\ninsert into t values (1);',
      message: /too many levels of trigger recursion/,
    },
  },
  r: {
    hello: 'cat("Hello, wörld ✓ 𝕌\\n")',
    echo: `stdin <- file("stdin"); writeLines(readLines(stdin)); close(stdin)
writeLines(commandArgs(trailingOnly = TRUE))
writeLines(Sys.getenv("GREETING"))
writeLines(readLines("data.txt"))
write("to stderr", stderr())
quit(status = 7)`,
    // Rscript does not say in which line.
    faulty: { script: 'x <- 1\n\ny <- )\n', message: /unexpected '\)' in "y <- \)"/ },
    hog: 'cat("before\\n"); x <- list(); repeat x[[length(x) + 1]] <- as.numeric(seq_len(131072)) + 0.5',
    loop: 'cat("before\\n"); repeat {}',
    recursion: {
      script: 'f <- function(n) f(n + 1) + 1\nf(0)',
      message: /infinite recursion|stack usage|nested too deeply/,
    },
  },
};
