// node program.js URL: registers, creates an API key, runs a program with it, and prints the output.
import { client } from './api/client.gen.js';
import { createKey, executionOutput, register, runOnce } from './api/sdk.gen.js';

client.setConfig({ baseUrl: process.argv[2]! });

const email = `${crypto.randomUUID()}@example.com`;
const account = await register({ body: { email, password: 'correct horse battery', name: 'Ada' } });
if (account.error) throw new Error(account.error.detail);
client.setConfig({ auth: () => account.data.access_token });

const created = await createKey({ body: { name: 'example', scopes: ['executions:write', 'executions:read'] } });
if (created.error) throw new Error(created.error.detail);
client.setConfig({ auth: () => created.data.key });

const execution = await runOnce({
  query: { wait: 60 },
  body: {
    name: 'Hello',
    script_type: 'bash',
    script_content: 'read -r name; echo "Hello, $name, from $1"',
    input: { args: ['hey-api'], stdin: 'Ada\n' },
  },
});
if (execution.error) throw new Error(execution.error.detail);
if (execution.data.status !== 'completed') throw new Error(`the execution is ${execution.data.status}`);

const output = await executionOutput({ path: { id: execution.data.id, stream: 'stdout' } });
if (output.error) throw new Error(output.error.detail);
process.stdout.write(await output.data.text());
