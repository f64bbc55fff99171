// Runs jest with coverage. Writes the verdict ("N passed, N failed", with other problems above it) to
// .voidrunner/test-verdict, so that the caller can print it as the last line. Exits 0 only if everything passed.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const results = `${root}.voidrunner/test-results.json`;
const verdict = `${root}.voidrunner/test-verdict`;
const env = { ...process.env, PATH: `${root}node_modules/.bin:${process.env.PATH}` };

rmSync(results, { force: true });
const options = ['--coverage', '--json', `--outputFile=${results}`, ...process.argv.slice(2)];
const jest = spawn('npm', ['run', '--silent', 'jest', '--', ...options], { cwd: root, env, stdio: 'inherit' });
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    jest.kill(signal);
  });
}
const status = await new Promise((resolve) => {
  jest.on('exit', (code) => resolve(code ?? 1));
  jest.on('error', () => resolve(1));
});

const { passed, failed } = readResults();
let problem = '';
if (interrupted) problem = '!!! interrupted\n';
else if (status !== 0 && failed === 0) problem = '!!! no test failed, but jest did (coverage below its threshold?)\n';
writeFileSync(verdict, `${problem}${passed} passed, ${failed} failed\n`);
process.exitCode = status === 0 && failed === 0 && !interrupted ? 0 : 1;

/** A test file that cannot be loaded contains no tests that could be counted: it counts as one failure. */
function readResults() {
  try {
    const result = JSON.parse(readFileSync(results, 'utf8'));
    return { passed: result.numPassedTests, failed: result.numFailedTests + result.numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
