import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TOOL = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
const FIXTURE = 'test/architecture/fixture/src';
const OUTPUT_BYTES_MAX = 64 * 1024 ** 2;

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

/** The tool as `npm run architecture` calls it, but for the form of its report. */
async function cruise(folder: string): Promise<Cruise['summary']> {
  const args = [TOOL, folder, '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  // It exits with the number of violations.
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: OUTPUT_BYTES_MAX }).catch(
    (error: unknown) => error as { stdout: string },
  );
  return (JSON.parse(stdout) as Cruise).summary;
}

test('the source keeps every rule, and the tool has seen it', async () => {
  const { totalCruised, violations } = await cruise('src');
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  expect(totalCruised).toBeGreaterThan(50);
});

/** Where each rule is broken in the fixture: one file a rule. */
const PLANTED: Readonly<Record<string, string>> = {
  'kernel-knows-nothing': 'kernel/knows-a-platform.ts',
  'domain-knows-the-kernel': 'task/domain/knows-a-platform.ts',
  'pure-without-libraries': 'task/domain/does-io.ts',
  'app-knows-domain-and-platform': 'task/app/knows-its-api.ts',
  'api-knows-app-and-read': 'task/api/knows-a-store.ts',
  'orchestration-api-sees-apis': 'orchestration/api/knows-a-store.ts',
  'platform-knows-the-kernel': 'platform/knows-a-domain.ts',
  'features-apart': 'task/read/knows-a-feature.ts',
  'orchestration-sees-domains': 'orchestration/knows-an-app.ts',
  'config-at-the-root': 'platform/knows-settings.ts',
  'composition-at-the-root': 'platform/knows-its-composition.ts',
  'no-circles': 'task/read/half-a-circle.ts',
  'no-orphans': 'task/read/orphan.ts',
  'no-tests-in-src': 'task/read/knows-a-test.ts',
  'declared-libraries-only': 'task/read/knows-a-development-library.ts',
  resolvable: 'task/read/knows-nothing-real.ts',
};

describe('a planted violation is reported', () => {
  let planted: Cruise['summary'];
  beforeAll(async () => {
    planted = await cruise(FIXTURE);
  });

  test.each(Object.entries(PLANTED))('%s', (rule, file) => {
    const broken = planted.violations.filter((violation) => violation.rule.name === rule);
    expect(broken.map(({ from }) => from)).toContain(`${FIXTURE}/${file}`);
  });

  test('for every rule there is', () => {
    const rules = planted.ruleSetUsed.forbidden.map(({ name }) => name);
    expect(rules.sort()).toEqual(Object.keys(PLANTED).sort());
  });
});
