import { ESLint, Linter } from 'eslint';
import { parser } from 'typescript-eslint';

/** The rules that a planted violation breaks. They need no types, so the rules that do are left out. */
const PLANTED: Readonly<Record<string, string>> = {
  'no-restricted-imports': `import { setTimeout as sleep } from 'node:timers/promises'; await sleep(1);`,
  'no-restricted-properties': `export const home = process.env['HOME'];`,
  'no-restricted-syntax, an error that nobody reads': `await Promise.reject(new Error()).catch(() => undefined);`,
  'no-restricted-syntax, a delay': `await new Promise((resolve) => setTimeout(resolve, 1));`,
  'no-restricted-syntax, a timeout': `const late = new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error()), 1);
    timer.unref();
  });`,
};

async function broken(code: string, file: string): Promise<readonly (string | null)[]> {
  const { rules } = (await new ESLint().calculateConfigForFile(file)) as { rules: Linter.RulesRecord };
  const restrictions = Object.entries(rules).filter(([rule]) => rule.startsWith('no-restricted-'));
  const config = { files: ['**/*.ts'], languageOptions: { parser }, rules: Object.fromEntries(restrictions) };
  return new Linter().verify(code, config as Linter.Config, file).map(({ ruleId }) => ruleId);
}

test.each(Object.entries(PLANTED))('a planted violation is reported: %s', async (name, code) => {
  expect(await broken(code, 'src/worker/worker.ts')).toEqual([name.split(',')[0]]);
});

test('only src/platform/async waits by hand', async () => {
  const waits = Object.entries(PLANTED).flatMap(([name, code]) => (name.includes('properties') ? [] : [code]));
  expect(await Promise.all(waits.map((code) => broken(code, 'src/platform/async/delay.ts')))).toEqual([[], [], [], []]);
  expect(await broken(waits[0]!, 'test/support/faults.ts')).toEqual(['no-restricted-imports']);
  expect(await broken(waits[0]!, 'bench/run.ts')).toEqual(['no-restricted-imports']);
});
