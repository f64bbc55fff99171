import type { ScriptType } from './declared-runtimes.js';

type Program = readonly [language: ScriptType, what: string, script: string];

const PYTHON: Readonly<Record<string, string>> = {
  'what it knows of itself': `
import os, sys
print(sys.argv, sys.orig_argv, __name__, __file__, __spec__, __cached__, sys.executable, sys.flags, sys.path)
print(sorted(globals()), sorted(sys.modules), os.getcwd(), sorted(os.environ.items()), os.getpid(), os.getppid())
print(list(sys.path_importer_cache), sys._getframe().f_back, list(sys.warnoptions), sys.stdin, sys.stdout, sys.stderr)
print(sys.stdin.read(), os.listdir("/proc/self/fd"), os.umask(0o22), os.getsid(0), os.environb[b"X"], sys.getrecursionlimit())
import signal; print([(s, signal.getsignal(s)) for s in sorted(signal.valid_signals()) if signal.getsignal(s)], signal.pthread_sigmask(0, []))`,
  'what __del__, atexit and threads see at the end': `
import atexit, sys, threading, weakref
class D:
    def __init__(self, name): self.name = name
    def __del__(self): print("del", self.name, sys.is_finalizing(), flush=True)
a = D("global"); _b = D("private"); cycle = D("cycle"); cycle.me = cycle
def f(): pass
f.held = D("on a function")
D("garbage").me = None
weakref.finalize(a, print, "finalized")
atexit.register(print, "first registered"); atexit.register(print, "last registered")
gone = D("gone in a cycle"); gone.me = gone; del gone
def late(): threading.Event().wait(0.05); print("late")
threading.Thread(target=late).start()
print("end of the file")`,
  'files that nobody closed': `
import os
f = open("/tmp/x", "w"); f.write("buffered")
class D:
    def __del__(self): os.system("cat /tmp/x")
import atexit; atexit.register(lambda: globals().pop("f").close())
d = D()`,
  'daemon threads at the end': `
import threading, sys, time
def forever():
    while True: time.sleep(0.001)
threading.Thread(target=forever, daemon=True).start()
class D:
    def __del__(self): time.sleep(0.02); print("slept", file=sys.stderr)
d = D()`,
  'an error in a function': 'def f(x):\n    return 1 / x\nprint("before", end="")\nf(0)\n',
  'a chained error in another file': `
open("other.py", "w").write("def f():\\n    raise KeyError('k')\\n")
import other
try: other.f()
except KeyError as error: raise RuntimeError("again") from error`,
  'a syntax error': 'x = (\n',
  'bytes that are no UTF-8': 'print("a")\n# \udcff\n'.replace('\udcff', '\\xff'),
  'an encoding': '# -*- coding: latin-1 -*-\nprint(ascii("ü"))\n',
  'sys.exit with a number': 'import sys\nsys.exit(7)',
  'sys.exit with a text': 'import sys\nprint("é", flush=True)\nsys.exit("bye ü")',
  'sys.exit(None)': 'import sys\nsys.exit()',
  'sys.exit(-1)': 'import sys\nsys.exit(-1)',
  'sys.exit(True)': 'import sys\nsys.exit(True)',
  'SystemExit in atexit': 'import atexit, sys\natexit.register(sys.exit, 3)\nprint(1)',
  'os._exit': 'import os\nprint("kept")\nos._exit(4)',
  'os.abort': 'import os\nprint("kept")\nos.abort()',
  KeyboardInterrupt: 'import os, signal\nos.kill(os.getpid(), signal.SIGINT)',
  'a signal': 'import os, signal\nprint("kept", flush=True)\nos.kill(os.getpid(), signal.SIGTERM)',
  'an alarm in a loop': `
import signal
class Late(Exception): pass
def raise_late(*_): raise Late("late")
signal.signal(signal.SIGALRM, raise_late); signal.setitimer(signal.ITIMER_REAL, 0.05)
x = 0
while True: x += 1`,
  'sys.exit in an excepthook': 'import sys\nsys.excepthook = lambda *a: sys.exit(3)\nraise ValueError("v")',
  'what it left in modules of the interpreter': `
import builtins, os, sys
class D:
    def __init__(self, name): self.name = name
    def __del__(self): print("del", self.name, flush=True)
os.mine = D("in os"); builtins.mine = D("in builtins"); sys.mine = D("in sys")
f = open("/tmp/f", "w"); f.write("buffered"); os.file = f; del f
import atexit; atexit.register(lambda: print("__file__" in globals()))`,
  SIGSEGV: 'import ctypes\nctypes.string_at(0)',
  'deep recursion': `
import sys
def f(n): return f(n + 1)
try: f(0)
except RecursionError as error: print(error)
def depth(n):
    try: return depth(n + 1)
    except RecursionError: return n
print(depth(0)); sys.setrecursionlimit(20000); print(depth(0))
raise ValueError`,
  'processes of multiprocessing': `
import multiprocessing as mp
def square(x): return x * x
if __name__ == "__main__":
    for way in ("fork", "spawn", "forkserver"):
        with mp.get_context(way).Pool(2) as pool: print(way, pool.map(square, range(4)))`,
  'os.fork and exec': `
import os, sys, subprocess
print(subprocess.run([sys.executable, "-c", "import sys; print(sys.argv, sys.flags.isolated)", "a"], capture_output=True).stdout, flush=True)
child = os.fork()
if child == 0: print("child"); sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))`,
  'asyncio and executors': `
import asyncio, concurrent.futures
async def main():
    loop = asyncio.get_running_loop()
    with concurrent.futures.ThreadPoolExecutor() as pool: return await loop.run_in_executor(pool, sum, [1, 2])
print(asyncio.run(main()))`,
  'the garbage collector': `
import gc
class C: pass
c = C(); c.me = c; del c
print(gc.isenabled(), gc.get_threshold(), gc.collect(), gc.garbage, gc.collect())`,
  'closed streams': 'import os, sys\nsys.stdout.close()\nos.close(2)',
  'a stream of its own': `
import io, sys
class Loud(io.StringIO):
    def write(self, text): return sys.__stdout__.write(text.upper())
sys.stdout = Loud(); print("loud")
class D:
    def __del__(self): print("quiet")
d = D()`,
  'an excepthook': 'import sys\nsys.excepthook = lambda *a: print("hooked", a[0], a[1])\nraise ValueError("v")',
  'stdin by input()': 'print(input("? "))\nprint(input())',
};

const JAVASCRIPT: Readonly<Record<string, string>> = {
  'what it knows of itself': `
console.log(process.argv, process.execArgv, process.pid, process.ppid, process.argv0, process.title, process.execPath);
console.log(require.main === module, module.id, __filename, process.mainModule === module, Object.keys(require.cache));
console.log(process.env, process.cwd(), process.umask(), process.exitCode, module.paths, module.children.length);
console.log(require('module').builtinModules.join(), require('os').cpus().length, process.stdin.constructor.name);
for (const event of ['exit', 'warning', 'beforeExit', 'SIGINT']) console.log(event, process.listenerCount(event));
console.log(new Error('here').stack, Error.stackTraceLimit, process.stdout.bytesWritten > 0, process.stdout.isTTY);
console.log(Object.keys(globalThis), Object.getOwnPropertyDescriptor(process, 'pid'));
try { require('internal/util'); } catch (error) { console.log(error.code); }
console.log(process.getActiveResourcesInfo(), process.report.compact, process.allowedNodeEnvironmentFlags.size);`,
  'the order of ticks, promises, timers and immediates': `
setImmediate(() => { console.log('immediate'); setTimeout(() => console.log('timeout'), 1); });
process.nextTick(() => console.log('tick')); Promise.resolve().then(() => console.log('promise')); queueMicrotask(() => console.log('task'));
import('node:fs').then((fs) => console.log(typeof fs.readFileSync));
process.on('beforeExit', () => console.log('beforeExit')); process.on('exit', (code) => { console.log('exit', code); process.exitCode = 5; });`,
  'an error': 'console.log("before");\nfunction f() { throw new TypeError("bad"); }\nf();',
  'an error that is no object': 'throw "text";',
  'an error with a cause': 'throw new Error("outer", { cause: new RangeError("inner") });',
  'a rejection that nobody handles': 'Promise.reject(new Error("unhandled"));',
  'a rejection with a text': 'Promise.reject("text");',
  'a syntax error': 'x = {',
  'an ES module':
    'import fs from "fs";\nconsole.log(typeof fs, import.meta.url, import.meta.filename, await 3, typeof require);',
  'an await that never ends': 'await new Promise(() => undefined);',
  'an error in an ES module': 'import "fs";\nthrow new Error("module");',
  'an import of nothing': 'import { nothing } from "./nothing.js";',
  'a require of nothing': 'require("./nothing");',
  'process.exit': 'process.on("exit", (code) => console.log("exit", code));\nconsole.log("kept");\nprocess.exit(9);',
  'process.exit in exit': 'process.on("exit", () => process.exit(8));',
  'process.exitCode': 'process.exitCode = 3;\nprocess.on("beforeExit", () => console.log("beforeExit"));',
  'process.exitCode as a text': 'process.exitCode = "4";',
  'process.abort': 'process.abort();',
  'a handler of uncaught exceptions':
    'process.on("uncaughtException", (e, origin) => console.log(e.message, origin));\nthrow new Error("caught");',
  'a handler that throws': 'process.on("uncaughtException", () => { throw 1; });\nthrow 2;',
  'a signal': 'console.log("kept");\nprocess.kill(process.pid, "SIGTERM");\nsetTimeout(() => undefined, 60_000);',
  'a handler of a signal':
    'process.on("SIGUSR2", () => { console.log("got it"); process.exit(2); });\nprocess.kill(process.pid, "SIGUSR2");\nsetTimeout(() => undefined, 60_000);',
  'deep recursion': 'function f() { f(); }\ntry { f(); } catch (error) { console.log(error.message); }\nf();',
  'much output': 'for (let i = 0; i < 3000; i++) console.log("line", i);\nprocess.exit(1);',
  stdin: 'process.stdin.on("data", (data) => console.log(String(data))).on("end", () => console.log("end"));',
  'stdin at once': 'console.log(require("fs").readFileSync(0, "utf8"));',
  'worker threads': `
const { Worker, isMainThread } = require('node:worker_threads');
const worker = new Worker('require("worker_threads").parentPort.postMessage([process.execArgv, Object.keys(require.cache), process.pid])', { eval: true });
worker.on('message', (message) => console.log(message)).on('exit', (code) => console.log('exit', code));`,
  'an error in a worker thread': `
const { Worker } = require('node:worker_threads');
new Worker('throw new Error("in a worker")', { eval: true });`,
  'child processes': `
const cp = require('node:child_process');
console.log(String(cp.execFileSync(process.execPath, ['-p', 'process.argv.length + process.execArgv.join()'])));
const { status, output } = cp.spawnSync('sh', ['-c', 'echo $X; exit 3']);
console.log(status, output);
cp.exec('echo later', (error, out) => console.log(error, out));`,
  'a forked child': `
const cp = require('node:child_process');
if (process.send) process.send([process.argv.slice(2), process.execArgv]);
else cp.fork(__filename, ['child']).on('message', (m) => console.log(m)).on('exit', (code) => console.log(code));`,
  'the thread pool': `
const { promisify } = require('node:util');
(async () => {
  console.log((await promisify(require('zlib').gzip)('x')).length);
  console.log((await promisify(require('crypto').pbkdf2)('p', 's', 10, 8, 'sha256')).toString('hex'));
  console.log(await require('fs').promises.readFile('/etc/hostname', 'utf8'));
  console.log((await require('dns').promises.lookup('localhost')).address.length > 0);
})();`,
  sockets: `
const net = require('node:net');
const server = net.createServer((c) => c.end('bye')).listen(0, () =>
  net.connect(server.address().port).on('data', (d) => { console.log(String(d)); server.close(); }));`,
  http: `
const http = require('node:http');
const server = http.createServer((_, response) => response.end('ok')).listen(0, async () => {
  console.log(await (await fetch('http://localhost:' + server.address().port)).text()); server.close(); server.closeAllConnections();
});`,
  WebAssembly: `
const bytes = Buffer.from('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=', 'base64');
WebAssembly.instantiate(bytes).then(({ instance }) => console.log(instance.exports.add(2, 3)));
console.log(new WebAssembly.Module(bytes));`,
  'what takes long': `
let sum = 0;
for (let i = 0; i < 2e7; i++) sum = (sum + i * 7) % 1000003;
console.log(sum); const all = []; for (let i = 0; i < 3e5; i++) all.push({ i, s: String(i) }); console.log(all.length);`,
  'garbage and finalizers': `
const registry = new FinalizationRegistry(() => undefined);
for (let i = 0; i < 1e5; i++) registry.register({ i }, i);
console.log(new WeakRef({ a: 1 }).deref(), typeof gc);`,
  'memory that V8 returns and uses again': `
require("node:v8").setFlagsFromString("--expose-gc");
const collect = require("node:vm").runInNewContext("gc");
for (let round = 0; round < 4; round++) {
  let kept = [];
  for (let i = 0; i < 1_000; i++) {
    kept.push(new TextDecoder(), new URL("http://host/" + i), new AbortController(), new Blob(["x"]), new MessageChannel());
    kept.at(-1).port1.close();
  }
  console.log(kept[1].href, kept.at(-4).href, kept.every(Boolean));
  kept = null;
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
console.log("collected");`,
  'experimental warnings': 'require("node:sqlite");\nprocess.emitWarning("mine", "MyWarning");',
  'the monkeys of signal-exit': `
const emit = process.emit;
process.emit = function (event, ...rest) {
  const result = emit.call(this, event, ...rest);
  if (event === 'exit') { console.log('after exit', process.exitCode); process.exitCode = 6; }
  return result;
};
console.log('end');`,
};

const TYPESCRIPT: Readonly<Record<string, string>> = {
  'what it knows of itself': `
interface Known { readonly argv: readonly string[] }
const known: Known = { argv: process.argv };
console.log(known, process.execArgv, __filename, require.main === module, process.cwd(), process.env.X as string);
console.log(process.listenerCount('warning'), new Error('here').stack);`,
  'an error, at its place':
    'type A = { a: number };\n\nconst a = { a: 1 } as A;\nfunction f(x: A): never { throw new Error(`bad ${x.a}`); }\nf(a);',
  'a syntax error': 'const x: number = ;',
  'an ES module':
    'import { readFileSync } from "node:fs";\nenum E { A = 3 }\nconsole.log(typeof readFileSync, E.A, await Promise.resolve(4), import.meta.url);',
  'a worker thread in TypeScript': `
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
if (isMainThread) new Worker(new URL(import.meta.url)).on('message', (m: string) => console.log(m));
else parentPort!.postMessage(('in the worker' as string) + process.execArgv.length);`,
  'experimental warnings': 'require("node:sqlite");\nprocess.emitWarning("mine", "MyWarning");',
  'an error and a warning in a worker thread': `
import { Worker, isMainThread } from 'node:worker_threads';
interface Nothing { readonly a?: string }
if (isMainThread) new Worker(new URL(import.meta.url)).on('error', (e: Error) => console.log(e.stack?.split('\\n', 2)));
else { process.getBuiltinModule('node:sqlite'); const n: Nothing = {}; throw new Error('in the worker' + n.a); }`,
};

const programs = (language: ScriptType, scripts: Readonly<Record<string, string>>): Program[] =>
  Object.entries(scripts).map(([what, script]) => [language, what, script]);

/** Each must be the same, whether its interpreter was started for it or before it. */
export const PROGRAMS: readonly Program[] = [
  ...programs('python', PYTHON),
  ...programs('javascript', JAVASCRIPT),
  ...programs('typescript', TYPESCRIPT),
];
