import { randomUUID } from 'node:crypto';

import { TestSandbox } from '../../support/docker.js';

/** One user, so that one cell runs all tests. */
const userId = randomUUID();

let box: TestSandbox;

beforeAll(async () => {
  box = await TestSandbox.create();
});
afterAll(async () => {
  await box.expectNoContainers();
  await box.sandbox.close();
});

const go = (script: string, files: Readonly<Record<string, string>> = {}) =>
  box.run('go', script, {
    userId,
    input: { files: Object.entries(files).map(([path, content]) => ({ path, content: Buffer.from(content) })) },
  });

const HELLO = 'package main\nfunc main() { println("ok") }\n';

const LOOP = `package main
import "fmt"
func main() {
  var show []func()
  for i := 0; i < 3; i++ { show = append(show, func() { fmt.Print(i, " ") }) }
  for _, f := range show { f() }
}`;

it('Go 1.24: language and library work', async () => {
  const script = `package main
import ("cmp"; "errors"; "fmt"; "iter"; "log/slog"; "maps"; "math/rand/v2"; "os"; "slices")
type set[K comparable] = map[K]struct{}
func evens(n int) iter.Seq[int] { return func(yield func(int) bool) { for i := range n { if i%2 == 0 && !yield(i) { return } } } }
func main() {
  x := []int{3, 1, 2}
  slices.SortFunc(x, cmp.Compare)
  for i := range 3 { fmt.Println(i, min(x[i], 2)) }
  fmt.Println(slices.Collect(evens(5)), slices.Sorted(maps.Keys(set[string]{"b": {}, "a": {}})))
  clear(x)
  fmt.Println(x, errors.Join(errors.New("a"), errors.New("b")) != nil, rand.N(1))
  slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
    if a.Key == slog.TimeKey { return slog.Attr{} }
    return a
  }})).Info("done")
}`;
  const out = '0 1\n1 2\n2 2\n[0 2 4] [a b]\n[0 0 0] true 0\nlevel=INFO msg=done\n';
  expect(await go(script)).toMatchObject({ out, err: '', returnCode: 0 });
});

it.each([
  ['1.24, without go.mod', {}, '0 1 2 '],
  ['its own 1.22', { 'go.mod': 'module app\n\ngo 1.22\n' }, '0 1 2 '],
  ['its own 1.21', { 'go.mod': 'module app\n\ngo 1.21\n' }, '3 3 3 '],
])('loop variables follow go.mod: %s', async (_what, files, out) => {
  expect(await go(LOOP, files)).toMatchObject({ out, err: '', returnCode: 0 });
});

it.each([
  ['go 1.21.0', 'module app\n\ngo 1.21.0\n'],
  ['a toolchain line', 'module app\n\ngo 1.22.1\n\ntoolchain go1.23.4\n'],
  ['a missing toolchain', 'module app\n\ngo 1.21\n\ntoolchain go1.99.0\n'],
])('accepts a go.mod with %s', async (_what, content) => {
  expect(await go(HELLO, { 'go.mod': content })).toMatchObject({ err: 'ok\n', returnCode: 0 });
});

it.each<[what: string, message: RegExp, script: string, files?: Readonly<Record<string, string>>]>([
  [
    'a go.mod that asks for a newer Go',
    /go\.mod requires go >= 1\.99 \(running go 1\.24\S*; GOTOOLCHAIN=local\)/,
    HELLO,
    { 'go.mod': 'module app\n\ngo 1.99\n' },
  ],
  ['a package that is not main', /^package task is not a main package\n$/, 'package app\nfunc main() {}\n'],
  [
    'the same in its own module',
    /^package example\.org\/app is not a main package\n$/,
    'package app\n',
    { 'go.mod': 'module example.org/app\n' },
  ],
  [
    'a test package',
    /^package task is not a main package\n$/,
    'package app_test\nimport "testing"\nfunc TestIt(*testing.T) {}\n',
  ],
  ['no func main', /function main is undeclared in the main package/, 'package main\nimport _ "testing"\n'],
  ['two packages', /found packages (?:main|other)/, HELLO, { 'other.go': 'package other\n' }],
  ['an excluded file', /build constraints exclude all Go files/, `//go:build ignore\n\n${HELLO}`],
  [
    'a missing module',
    /no required module provides package github\.com\/a\/b[^]*There is no network here/,
    'package main\nimport _ "github.com/a/b"\nfunc main() {}\n',
  ],
  [
    'a missing required module',
    /github\.com\/a\/b[^]*There is no network here/,
    'package main\nimport _ "github.com/a/b"\nfunc main() {}\n',
    { 'go.mod': 'module app\n\ngo 1.24\n\nrequire github.com/a/b v1.0.0\n' },
  ],
  [
    'cgo',
    /build constraints exclude all Go files|C source files not allowed|requires cgo|cgo/,
    'package main\nimport "C"\nfunc main() {}\n',
  ],
])('reports the fault in %s', async (_what, message, script, files = {}) => {
  const outcome = await go(script, files);
  expect(outcome).toMatchObject({ reason: 'compile', out: '', compile: { returnCode: 1 } });
  expect(outcome.fromCompiler).toMatch(message);
});

it('builds vendored packages and embeds files', async () => {
  const script = `package main
import (_ "embed"; "fmt"; "example.org/dep")
//go:embed data.txt
var data string
func main() { fmt.Println(dep.Name, data) }`;
  const files = {
    'go.mod': 'module app\n\ngo 1.24\n\nrequire example.org/dep v1.0.0\n',
    'vendor/modules.txt': '# example.org/dep v1.0.0\n## explicit; go 1.24\nexample.org/dep\n',
    'vendor/example.org/dep/dep.go': 'package dep\nconst Name = "dep"\n',
    'data.txt': 'data',
  };
  expect(await go(script, files)).toMatchObject({ out: 'dep data\n', err: '', returnCode: 0 });
});

it('accepts a byte order mark and Windows line ends', async () => {
  expect(await go(`\uFEFF${HELLO.replaceAll('\n', '\r\n')}`)).toMatchObject({ err: 'ok\n', returnCode: 0 });
});

it('a program is built however long ago its files were written', async () => {
  const build = [
    'mkdir -p old/part && cd old && cp /usr/local/lib/voidrunner/go.mod go.mod',
    `echo 'package part; const Text = "built"' >part/part.go`,
    `echo 'package main; import ("os"; "task/part"); func main() { os.Stdout.WriteString(part.Text) }' >main.go`,
    `find . -exec touch -d '1 hour ago' {} +`,
    'exec /usr/local/lib/voidrunner/build-go "$PWD/program" 1',
  ].join('\n');
  const script = `package main
import ("os"; "os/exec")
func main() {
  for _, script := range []string{${JSON.stringify(build)}, "old/program"} {
    command := exec.Command("sh", "-c", script)
    command.Stdout, command.Stderr = os.Stdout, os.Stderr
    if command.Run() != nil { os.Exit(1) }
  }
}`;
  expect(await go(script)).toMatchObject({ out: 'built', err: '', returnCode: 0 });
});
