import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Elsewhere the app's user is the one who started it, in the checkout itself. */
const isRoot = process.getuid!() === 0;

/** The output of a command that runs as the native app does. */
async function asTheApp(script: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const passwords = { DB_OWNER_PASSWORD: 'the owner’s', DB_SUPERUSER_PASSWORD: 'the superuser’s' };
  const env = { ...process.env, ...passwords, ...more };
  return (await run('infra/dev/app', ['as-user', 'sh', '-c', script], { env })).stdout;
}

test('the native app knows no password but its own', async () => {
  const names = (await asTheApp('env')).split('\n').map((line) => line.split('=')[0]);
  expect(names).toContain('DB_PASSWORD');
  for (const name of ['DB_OWNER_USER', 'DB_OWNER_PASSWORD', 'DB_SUPERUSER_PASSWORD']) expect(names).not.toContain(name);
});

test('started by root, it runs as its own user, without root’s privileges', async () => {
  const status = await asTheApp('cat /proc/self/status');
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)![1]!;
  const ids = [...field('Uid').split(/\s+/), ...field('Gid').split(/\s+/)];
  expect(ids).not.toContain('0');
  expect(field('CapEff')).toMatch(/^0+$/);
  expect([/^0+$/.test(field('CapBnd')), field('NoNewPrivs') === '1']).toEqual([isRoot, isRoot]);
});

test('it reads only what it needs; started by root, it can write only to its home', async () => {
  const needed = [
    'dist/main.js',
    'package.json',
    'runtimes/python.yaml',
    'seccomp/cell.json',
    'node_modules/.bin/node',
  ];
  const reads = `for file in ${needed.join(' ')}; do [ -r $file ] && echo $file; done`;
  const probes = `
    ls -A
    for file in planted dist/planted node_modules/planted runtimes/planted package.json; do ( : >>$file ) 2>/dev/null && echo $file; done
    : >"$HOME/planted" && rm "$HOME/planted" && echo home`;
  const found = (await asTheApp(isRoot ? reads + probes : reads)).trim().split('\n');
  const seen = ['dist', 'node_modules', 'package.json', 'runtimes', 'seccomp', 'home'];
  expect(found).toEqual([...needed, ...(isRoot ? seen : [])]);
});

test('root follows no link that another user left where the app’s files are prepared', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'voidrunner-app-'));
  try {
    const [view, outside] = [join(folder, 'app'), join(folder, 'outside')];
    await Promise.all([mkdir(view), mkdir(outside)]);
    await symlink(outside, join(view, 'checkout'));
    if (isRoot) await chown(view, 60_000, 60_000);
    expect(await asTheApp('echo started', { VOIDRUNNER_RUN_DIR: folder })).toBe('started\n');
    expect(await readdir(outside)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
