// A first task over HTTP, like any user's: registers, creates a task, executes it, waits for the end, prints the output.
import { randomUUID } from 'node:crypto';

const api = `http://${process.env.SERVER_HOST}:${process.env.SERVER_PORT}/api/v1`;
const wait_ms_max = 60_000;
const poll_ms = 20;
const retry_ms = 500;
const script = `import platform
print("Hello from VoidRunner!")
print("Python", platform.python_version(), "says 6 * 7 =", 6 * 7)
`;

let token;
/** 503: a service behind the API is unavailable for a moment, and the call is safe to repeat. */
async function call(method, path, body) {
  const deadline = performance.now() + wait_ms_max;
  for (;;) {
    const response = await send(method, path, body);
    if (response.status !== 503 || performance.now() > deadline) return resultOf(response, `${method} ${path}`);
    await new Promise((resolve) => setTimeout(resolve, retry_ms));
  }
}

function send(method, path, body) {
  return fetch(api + path, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(15_000),
  });
}

async function resultOf(response, what) {
  const text = await response.text();
  if (response.status === 404 && what.startsWith('GET ')) return undefined;
  if (!response.ok) throw new Error(`${what} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

const step = (what) => console.log(`    ${what}`);
const isOver = (execution) => !['pending', 'running'].includes(execution.status);

async function main() {
  const email = `first-${randomUUID().slice(0, 8)}@example.com`;
  // The password is random and not stored: nobody needs to log in to this account again.
  const account = await call('POST', '/auth/register', { email, password: randomUUID(), name: 'First User' });
  token = account.access_token;
  step(`registered   ${email}`);

  const definition = { name: 'first task', script_content: script, script_type: 'python', timeout_seconds: 30 };
  const task = await call('POST', '/tasks', definition);
  step(`created      task ${task.id}`);

  const started = performance.now();
  let execution = await call('POST', `/tasks/${task.id}/executions`);
  step(`started      execution ${execution.id}`);
  const deadline = started + wait_ms_max;
  while (!isOver(execution) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, poll_ms));
    // The response to a write waits at most a second for the views. On a busy machine they may lag behind it.
    execution = (await call('GET', `/executions/${execution.id}`)) ?? execution;
  }
  const took_ms = Math.round(performance.now() - started);
  if (!isOver(execution)) throw new Error(`execution ${execution.id} is still ${execution.status} after ${took_ms} ms`);
  step(`${execution.status.padEnd(12)} after ${took_ms} ms (the program itself: ${execution.execution_time_ms} ms)`);

  console.log(`\n${execution.stdout ?? ''}`);
  if (execution.status !== 'completed') {
    if (execution.stderr) console.error(execution.stderr);
    throw new Error(`the first task ended as ${execution.status} (${execution.termination_reason})`);
  }
  console.log(`Its history:  npx voidrunner events show execution-${execution.id}`);
  console.log(`Its trace:    npx voidrunner trace ${execution.trace_id}`);
  const { JAEGER_PORT: jaeger } = process.env;
  if (jaeger) console.log(`              http://localhost:${jaeger}/trace/${execution.trace_id}`);
  console.log(`API docs:     http://localhost:${process.env.SERVER_PORT}/docs`);
}

main().catch((error) => {
  console.error(`!!! ${error.message}`);
  console.error('!!! the app’s log: .voidrunner/log/app.log');
  process.exitCode = 1;
});
