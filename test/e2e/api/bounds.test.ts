import { Api, aTask, type Person } from './support/api.js';
import { at, refusalOf } from './support/bad-input.js';
import { TASK_BOUNDS } from './support/task-bounds.js';

let api: Api;
let ada: Person;
let taskId: string;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
  ({ id: taskId } = await ada.createTask({ max_parallel: 100 }));
});
afterAll(() => api.close());

const KIB = 1024;
const MIB = KIB ** 2;
const named = (count: number, name = (index: number) => `N${index}`) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), '']));

describe.each(TASK_BOUNDS)('%s of a task', (field, within, outside) => {
  test('accepts values up to its bounds', async () => {
    for (const value of within) {
      const answer = await ada.send('POST', '/tasks', { ...aTask, ...at(field, value) });
      expect([field, answer.status]).toEqual([field, 201]);
      expect(answer.body).toMatchObject(at(field, value));
      expect((await ada.send('PUT', `/tasks/${answer.body.id}`, at(field, value))).status).toBe(200);
    }
  });

  test('refuses values beyond its bounds', async () => {
    const { id } = await ada.createTask();
    const head = await api.head();
    for (const [value, tag] of outside) {
      const whole = { method: 'POST', path: '/tasks', body: { ...aTask, ...at(field, value) } };
      expect(await refusalOf(ada, whole)).toEqual([400, `${field}: ${tag}`]);
      const change = { method: 'PUT', path: `/tasks/${id}`, body: at(field, value) };
      expect(await refusalOf(ada, change)).toEqual([400, `${field}: ${tag}`]);
    }
    expect(await api.head()).toBe(head);
  });
});

const files = (count: number) => Array.from({ length: count }, (_, index) => ({ path: `f${index}`, content: '' }));
const inBase64 = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64');

const INPUTS: [string, object][] = [
  ['stdin_base64 of nothing', { stdin_base64: '' }],
  ['stdin with NUL', { stdin: 'a\0b' }],
  ['a file with NUL', { files: [{ path: 'a', content: '\0' }] }],
  ['64 args', { args: Array(64).fill('x') }],
  ['an arg of 16,384 characters', { args: ['x'.repeat(16 * KIB)] }],
  ['64 variables', { env: named(64) }],
  ['a variable of 255 characters', { env: { ['N'.repeat(255)]: 'x'.repeat(16 * KIB) } }],
  ['128 files', { files: files(128) }],
  ['a path of 255 bytes', { files: [{ path: `${'a/'.repeat(100)}${'b'.repeat(55)}`, content: '' }] }],
  [
    'a folder beside a file',
    {
      files: [
        { path: 'a/b', content: '' },
        { path: 'a.b', content: '' },
        { path: 'a/c', content: '' },
      ],
    },
  ],
];

/** Made when they are sent: together they take as much memory as the service. */
const LARGE_INPUTS: [string, () => object][] = [
  ['stdin of 16 MiB', () => ({ stdin: '\n'.repeat(MIB) + 'x'.repeat(15 * MIB) })],
  ['stdin_base64 of 16 MiB', () => ({ stdin_base64: inBase64(16 * MIB) })],
  ['16 MiB of files in base64', () => ({ files: [{ path: 'a', content: inBase64(16 * MIB), encoding: 'base64' }] })],
];

test.each([...INPUTS.map(([what, input]) => [what, () => input] as const), ...LARGE_INPUTS])(
  'an input of %s is accepted',
  async (_what, input) => {
    const answer = await ada.send('POST', `/tasks/${taskId}/executions`, { input: input(), executor: 'external' });
    expect(answer.status).toBe(201);
  },
);

const file = (path: string, more: object = {}) => ({ files: [{ path, content: '', ...more }] });

const BAD_INPUTS: [string, object, string][] = [
  ['stdin in both forms', { stdin: '', stdin_base64: '' }, 'input.stdin_base64: exclusive'],
  ['invalid stdin_base64', { stdin_base64: 'ab!=' }, 'input.stdin_base64: invalid'],
  ['stdin_base64 without its padding', { stdin_base64: 'YQ' }, 'input.stdin_base64: invalid'],
  ['stdin_base64 for URLs', { stdin_base64: '__8=' }, 'input.stdin_base64: invalid'],
  ['stdin_base64 of a number', { stdin_base64: 1 }, 'input.stdin_base64: type'],
  ['half a character in stdin', { stdin: 'a\ud800' }, 'input.stdin: unicode'],
  ['half a character in a file', { files: [{ path: 'a', content: '\udfff' }] }, 'input.files.0.content: unicode'],
  ['NUL in an arg', { args: ['\0'] }, 'input.args.0: unicode'],
  ['65 args', { args: Array(65).fill('x') }, 'input.args: max'],
  ['a long arg', { args: ['x'.repeat(16 * KIB + 1)] }, 'input.args.0: max'],
  ['args and env of more than 1 MiB', { args: Array(64).fill('x'.repeat(16 * KIB)), env: { A: '' } }, 'input: max'],
  ['65 variables', { env: named(65) }, 'input.env: max'],
  ['a variable’s bad name', { env: { 'A-B': '' } }, 'input.env.A-B: invalid'],
  ['a variable’s name with a =', { env: { 'A=B': '' } }, 'input.env.A=B: invalid'],
  ['NUL in an arg', { args: ['a\0b'] }, 'input.args.0: unicode'],
  ['a variable that starts with a digit', { env: { '1A': '' } }, 'input.env.1A: invalid'],
  ['a variable without a name', { env: { '': '' } }, 'input.env.: invalid'],
  ['a variable of a number', { env: { A: 1 } }, 'input.env.A: type'],
  ['129 files', { files: files(129) }, 'input.files: max'],
  ['a path of 256 bytes', file(`${'é'.repeat(128)}`), 'input.files.0.path: max'],
  ['an empty path', file(''), 'input.files.0.path: invalid'],
  ['an absolute path', file('/etc/passwd'), 'input.files.0.path: invalid'],
  ['a way out', file('a/../../b'), 'input.files.0.path: invalid'],
  ['a folder', file('a/'), 'input.files.0.path: invalid'],
  ['a doubled slash', file('a//b'), 'input.files.0.path: invalid'],
  ['two files of one path', { files: [...files(1), ...files(1)] }, 'input.files: invalid'],
  [
    'a file where a folder must be',
    {
      files: [
        { path: 'a', content: '' },
        { path: 'a/b', content: '' },
      ],
    },
    'input.files: invalid',
  ],
  ['no base64', file('a', { content: '!', encoding: 'base64' }), 'input.files.0.content: invalid'],
  ['another encoding', file('a', { encoding: 'hex' }), 'input.files.0.encoding: oneof'],
  ['no content', { files: [{ path: 'a' }] }, 'input.files.0.content: required'],
  ['an unknown field', { stdout: '' }, 'input.stdout: unknown'],
  ['stdin of a number', { stdin: 1 }, 'input.stdin: type'],
];

const TOO_LARGE: [string, () => object][] = [
  ['stdin of 16 MiB and a byte', () => ({ stdin: 'x'.repeat(16 * MIB - 1) + 'é' })],
  ['stdin_base64 of 16 MiB and a byte', () => ({ stdin_base64: inBase64(16 * MIB + 1) })],
  [
    'stdin_base64 and files of more than 16 MiB',
    () => ({ stdin_base64: 'AA==', files: [{ path: 'a', content: 'x'.repeat(16 * MIB) }] }),
  ],
  [
    'stdin and files of more than 16 MiB',
    () => ({ stdin: 'x', files: [{ path: 'a', content: 'x'.repeat(16 * MIB) }] }),
  ],
];

test.each([
  ...BAD_INPUTS.map(([what, input, error]) => [what, () => input, error] as const),
  ...TOO_LARGE.map(([what, input]) => [what, input, 'input: max'] as const),
])('an input of %s is a 400', async (_what, input, error) => {
  const head = await api.head();
  const bad = { method: 'POST', path: `/tasks/${taskId}/executions`, body: { input: input(), executor: 'external' } };
  expect(await refusalOf(ada, bad)).toEqual([400, error]);
  expect(await api.head()).toBe(head);
});

const SCRIPT_FILES = {
  python: 'main.py',
  javascript: 'main.js',
  typescript: 'main.ts',
  bash: 'main.sh',
  go: 'main.go',
};

type Language = keyof typeof SCRIPT_FILES;
const LANGUAGES = Object.entries(SCRIPT_FILES) as [Language, string][];

describe.each(LANGUAGES)('an input file of a task in %s', (script_type, scriptFile) => {
  const others = Object.values(SCRIPT_FILES).filter((path) => path !== scriptFile);
  const free = { files: [...others, `lib/${scriptFile}`].map((path) => ({ path, content: '' })) };

  test('may have the script path of another language', async () => {
    const { id } = await ada.createTask({ script_type });
    const started = await ada.send('POST', `/tasks/${id}/executions`, { input: free, executor: 'external' });
    expect(started.status).toBe(201);
    const once = await ada.send('POST', '/executions', { ...aTask, script_type, input: free });
    expect(once.status).toBe(201);
  });

  test.each([scriptFile, `${scriptFile}/a`])('may not have the path %s', async (path) => {
    const { id } = await ada.createTask({ script_type });
    const head = await api.head();
    const input = { files: [{ path: 'a', content: '' }, ...file(path).files] };
    const start = { method: 'POST', path: `/tasks/${id}/executions`, body: { input, executor: 'external' } };
    expect(await refusalOf(ada, start)).toEqual([400, 'input.files.1.path: invalid']);
    const once = { method: 'POST', path: '/executions', body: { ...aTask, script_type, input } };
    expect(await refusalOf(ada, once)).toEqual([400, 'input.files.1.path: invalid']);
    expect(await api.head()).toBe(head);
  });

  test('is checked against the task’s current language', async () => {
    const { id } = await ada.createTask({ script_type });
    const next = script_type === 'go' ? 'bash' : 'go';
    expect((await ada.send('PUT', `/tasks/${id}`, { script_type: next })).status).toBe(200);
    const start = (input: object) => ada.send('POST', `/tasks/${id}/executions`, { input, executor: 'external' });
    expect((await start(file(SCRIPT_FILES[next]))).status).toBe(400);
    expect((await start(file(scriptFile))).status).toBe(201);
  });
});
