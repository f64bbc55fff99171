// The checks, the launcher's own tests, then jest with coverage. Writes the verdict ("N passed, N failed", with what else
// went wrong above it) to .voidrunner/test-verdict, so that the caller can print it as the very
// last line; exits 0 only when everything held.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const results = `${root}.voidrunner/test-results.json`;
const verdict = `${root}.voidrunner/test-verdict`;
const env = { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}` };

let child;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    child?.kill(signal);
  });
}

rmSync(results, { force: true });
const checks = await run(`${root}infra/dev/check.sh`, []);
const launcher = interrupted ? 1 : await run(`${root}infra/dev/launcher-test.sh`, []);
const jest = ['run', '--silent', 'jest', '--', '--coverage', '--json', `--outputFile=${results}`];
const tests = interrupted ? 1 : await run('npm', [...jest, ...process.argv.slice(2)]);

const { passed, failed } = counts();
const lines = [];
if (checks !== 0) lines.push('!!! make check failed, see above');
if (launcher !== 0) lines.push('!!! the tests of the launcher failed, see above');
if (interrupted) lines.push('!!! interrupted');
else if (tests !== 0 && failed === 0) lines.push('!!! no test failed, but jest did (coverage below its bound?)');
lines.push(`${passed} passed, ${failed} failed`);
writeFileSync(verdict, `${lines.join('\n')}\n`);
process.exitCode = checks === 0 && launcher === 0 && tests === 0 && failed === 0 && !interrupted ? 0 : 1;

function run(command, args) {
  return new Promise((resolve) => {
    child = spawn(command, args, { cwd: root, env, stdio: 'inherit' });
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('error', () => resolve(1));
  });
}

/** A test file that cannot even be loaded has no tests to count: it counts as one failure. */
function counts() {
  try {
    const result = JSON.parse(readFileSync(results, 'utf8'));
    return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
