// node program.js URL: registers, creates an API key, runs a program with it, and prints the output.
import { createKey, executionOutput, register, runOnce } from './api.js';

// The client requests paths, because the document's server is `/`. orval's option `baseUrl` makes a client of one host.
const { fetch } = globalThis;
globalThis.fetch = (path, init) => fetch(new URL(String(path), process.argv[2]), init);
const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

const email = `${crypto.randomUUID()}@example.com`;
const account = await register({ email, password: 'correct horse battery', name: 'Ada' });
if (account.status !== 201) throw new Error(account.data.detail);

const created = await createKey(
  { name: 'example', scopes: ['executions:write', 'executions:read'] },
  bearer(account.data.access_token),
);
if (created.status !== 201) throw new Error(created.data.detail);
const asProgram = bearer(created.data.key);

const execution = await runOnce(
  {
    name: 'Hello',
    script_type: 'bash',
    script_content: 'read -r name; echo "Hello, $name, from $1"',
    input: { args: ['orval-fetch'], stdin: 'Ada\n' },
  },
  { wait: 60 },
  asProgram,
);
if (execution.status !== 201) throw new Error(execution.data.detail);
if (execution.data.status !== 'completed') throw new Error(`the execution is ${execution.data.status}`);

const output = await executionOutput(execution.data.id, 'stdout', {}, asProgram);
if (output.status !== 200) throw new Error(`no output: ${output.status}`);
process.stdout.write(await output.data.text());
