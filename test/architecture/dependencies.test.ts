import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TOOL = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
const FIXTURE = 'test/architecture/fixture';
const OUTPUT_BYTES_MAX = 64 * 1024 ** 2;

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

/** The tool as `npm run architecture` calls it, except for the format of its report. */
async function cruise(...folders: string[]): Promise<Cruise['summary']> {
  const args = [TOOL, ...folders, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  // It exits with the number of violations.
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return (JSON.parse(stdout) as Cruise).summary;
}

test('the source breaks no rule, and the tool has checked all of it', async () => {
  const { totalCruised, violations } = await cruise('src', 'packages/client/src');
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  expect(totalCruised).toBeGreaterThan(50);
});

/** Where the fixture breaks each rule: one file per rule, in its src unless it begins with `packages`. */
const PLANTED: Readonly<Record<string, string>> = {
  'kernel-imports': 'kernel/breaks-its-layer.ts',
  'platform-imports': 'platform/breaks-its-layer.ts',
  'event-sourcing-imports': 'event-sourcing/breaks-its-layer.ts',
  'sealing-imports': 'sealing/breaks-its-layer.ts',
  'runtimes-imports': 'runtimes/breaks-its-layer.ts',
  'sandbox-imports': 'sandbox/breaks-its-layer.ts',
  'queue-imports': 'queue/breaks-its-layer.ts',
  'live-output-imports': 'live-output/breaks-its-layer.ts',
  'live-input-imports': 'live-input/breaks-its-layer.ts',
  'http-imports': 'http/breaks-its-layer.ts',
  'identity-imports': 'identity/breaks-its-layer.ts',
  'tasks-imports': 'tasks/breaks-its-layer.ts',
  'facades-imports': 'facades/breaks-its-layer.ts',
  'erasure-imports': 'erasure/breaks-its-layer.ts',
  'webhooks-imports': 'webhooks/breaks-its-layer.ts',
  'webhook-endpoints-imports': 'webhook-endpoints/breaks-its-layer.ts',
  'worker-imports': 'worker/breaks-its-layer.ts',
  'orchestrator-imports': 'orchestrator/breaks-its-layer.ts',
  'operations-imports': 'operations/breaks-its-layer.ts',
  'mcp-imports': 'mcp/breaks-its-layer.ts',
  'config-imports': 'config/breaks-its-layer.ts',
  'client-stands-alone': 'packages/client/src/knows-the-service.ts',
  'client-in-cli-and-mcp-only': 'http/knows-the-client.ts',
  'people-use-the-client': 'cli/people/knows-a-pool.ts',
  'domain-is-pure': 'tasks/domain/knows-a-pool.ts',
  'pure-without-libraries': 'tasks/domain/does-io.ts',
  'api-on-top': 'tasks/commands/knows-its-api.ts',
  'queries-decide-nothing': 'tasks/queries/knows-a-command.ts',
  'worker-and-orchestrator-send-commands': 'worker/knows-a-handler.ts',
  'core-first': 'event-sourcing/core/knows-the-relay.ts',
  'composition-at-the-root': 'platform/knows-its-composition.ts',
  'no-circles': 'tasks/queries/half-a-circle.ts',
  'no-orphans': 'tasks/queries/orphan.ts',
  'no-tests-in-src': 'tasks/queries/knows-a-test.ts',
  'declared-libraries-only': 'tasks/queries/knows-a-development-library.ts',
  resolvable: 'tasks/queries/knows-nothing-real.ts',
};

describe('a planted violation is reported', () => {
  let planted: Cruise['summary'];
  beforeAll(async () => {
    planted = await cruise(FIXTURE);
  });

  test.each(Object.entries(PLANTED))('%s', (rule, file) => {
    const broken = planted.violations.filter((violation) => violation.rule.name === rule);
    expect(broken.map(({ from }) => from)).toContain(
      file.startsWith('packages/') ? `${FIXTURE}/${file}` : `${FIXTURE}/src/${file}`,
    );
  });

  test('exists for every rule', () => {
    const rules = planted.ruleSetUsed.forbidden.map(({ name }) => name);
    expect(rules.sort()).toEqual(Object.keys(PLANTED).sort());
  });
});
