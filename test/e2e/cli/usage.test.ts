import { voidrunner } from '../../support/cli.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const EXIT_USAGE = 64;
const NOBODY = '00000000-0000-7000-8000-000000000000';

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());

const run = (args: readonly string[], stdin = '') =>
  voidrunner({ ...process.env, DB_NAME: database.name }, args, stdin);

/** Each is refused before anything is read; the message says what is wrong. */
const MISUSES: readonly (readonly [args: string, says: RegExp])[] = [
  ['', /^Usage: voidrunner/m],
  ['nope', /unknown command 'nope'/],
  ['--nope', /unknown option '--nope'/],
  ['verify --nope', /unknown option '--nope'/],
  ['verify --wait', /argument missing/],
  ['verify --wait soon', /Expected a whole number/],
  ['verify elephant', /too many arguments/],
  ['verify --key localhost/log', /not a public Ed25519 key/],
  ['seal', /Usage: voidrunner seal/],
  ['events', /^Usage: voidrunner events/m],
  ['events nope', /unknown command 'nope'/],
  ['events show', /missing required argument 'stream'/],
  ['events show elephant', /Expected task-<uuid>/],
  [`events show task-${NOBODY} --nope`, /unknown option/],
  ['events tail --no-follow --type Nope', /Allowed choices are .*ExecutionRequested.*TaskCreated.*UserRegistered/s],
  ['events tail --no-follow --stream elephant', /Expected task-<uuid>/],
  ['events tail --no-follow --from -1', /Expected a whole number/],
  ['state', /missing required argument 'stream'/],
  ['state elephant', /Expected task-<uuid>/],
  [`state user-${NOBODY}`, /Users have no state/],
  [`state task-${NOBODY} --at-version 0`, /Expected a whole number from 1/],
  [`state task-${NOBODY} --at-version x`, /Expected a whole number from 1/],
  [`state task-${NOBODY} --at-time yesterday`, /Expected a time/],
  ['rebuild --subscription nope', /Allowed choices are projector, orchestrator/],
  ['rebuild nope', /too many arguments/],
  ['trace', /missing required argument 'trace'/],
  ['trace elephant', /Expected task-<uuid>/],
  ['dead-letters', /^Usage: voidrunner dead-letters/m],
  ['dead-letters list --limit many', /Expected a whole number/],
  ['dead-letters redrive', /missing required argument 'execution'/],
  ['dead-letters redrive elephant', /Expected task-<uuid>/],
  [`dead-letters discard task-${NOBODY}`, /Expected task-<uuid>|Expected an execution/],
  [`dead-letters unpark nope task-${NOBODY}`, /Allowed choices are projector, orchestrator, dead_letters/],
  ['dead-letters unpark projector elephant', /Expected task-<uuid>/],
  ['admin', /^Usage: voidrunner admin/m],
  ['admin create', /missing required argument 'email'/],
  ['admin create x', /Expected an email address/],
  ['admin create a@example.com --name', /argument missing/],
  ['admin grant x', /Expected an email address/],
  ['admin revoke', /missing required argument 'email'/],
  ['doctor --nope', /unknown option/],
  ['doctor elephant', /too many arguments/],
  ['migrate', /^Usage: voidrunner migrate/m],
  ['migrate sideways', /unknown command 'sideways'/],
  ['migrate up now', /too many arguments/],
  ['docs --port x', /Expected a whole number from 1 to 65535/],
  ['docs --port 65536', /Expected a whole number from 1 to 65535/],
  ['settings --nope', /unknown option/],
  ['tasks', /^Usage: voidrunner tasks/m],
  ['tasks show elephant', /Expected an id/],
  ['tasks list --status lost', /Allowed choices are pending/],
  ['tasks list --limit 0', /Expected a whole number from 1/],
  ['executions', /^Usage: voidrunner executions/m],
  ['executions logs', /missing required argument 'id'/],
  ['api-keys create x --scope everything', /Expected one of tasks:read/],
  ['api-keys revoke vr_abc', /Expected an id/],
  ['config set colour red', /Allowed choices are server/],
  ['login --key vr_abc', /Expected -: others can see/],
  ['completion tcsh', /Allowed choices are bash, zsh, fish/],
  ['runtimes all', /too many arguments/],
];

test.each(MISUSES)('voidrunner %s is a usage error', async (args, says) => {
  const { code, stdout, stderr } = await run(args === '' ? [] : args.split(' '));
  expect({ code, stdout }).toEqual({ code: EXIT_USAGE, stdout: '' });
  expect(stderr).toMatch(says);
  // No stack trace, and no dump of a library.
  expect(stderr).not.toMatch(/^\s+at |"path":|ZodError/m);
});

test.each(['--help', 'help', '--version', 'verify --help', 'events help tail', 'help admin', 'help run', 'help tasks'])(
  'voidrunner %s is accepted',
  async (args) => {
    expect(await run(args.split(' '))).toMatchObject({ code: 0, stderr: '' });
  },
);

test('a valid argument for something that does not exist is a fault', async () => {
  for (const [args, says] of [
    [`state task-${NOBODY}`, 'no such stream'],
    [`events show task-${NOBODY}`, 'no such stream'],
    [`dead-letters unpark projector task-${NOBODY}`, 'no such parked stream'],
  ] as const) {
    const { code, stdout, stderr } = await run(args.split(' '));
    expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
    expect(stderr).toContain(says);
  }
});

test('a refused password is reported in one sentence', async () => {
  const { code, stderr } = await run(['admin', 'create', 'a@example.com'], 'short\n');
  expect(code).toBe(2);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain('Invalid password');
});
