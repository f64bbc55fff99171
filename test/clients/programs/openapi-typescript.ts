// node program.js URL: registers, creates an API key, runs a program with it, and prints the output.
import createClient from 'openapi-fetch';

import type { paths } from './api.js';

const baseUrl = process.argv[2]!;
const api = createClient<paths>({ baseUrl });

const email = `${crypto.randomUUID()}@example.com`;
const account = await api.POST('/api/v1/auth/register', {
  body: { email, password: 'correct horse battery', name: 'Ada' },
});
if (account.error) throw new Error(account.error.detail);

const created = await api.POST('/api/v1/keys', {
  headers: { authorization: `Bearer ${account.data.access_token}` },
  body: { name: 'example', scopes: ['executions:write', 'executions:read'] },
});
if (created.error) throw new Error(created.error.detail);
const program = createClient<paths>({ baseUrl, headers: { 'X-API-Key': created.data.key } });

const execution = await program.POST('/api/v1/executions', {
  params: { query: { wait: 60 } },
  body: {
    name: 'Hello',
    script_type: 'bash',
    script_content: 'read -r name; echo "Hello, $name, from $1"',
    input: { args: ['openapi-typescript'], stdin: 'Ada\n' },
  },
});
if (execution.error) throw new Error(execution.error.detail);
if (execution.data.status !== 'completed') throw new Error(`the execution is ${execution.data.status}`);

const output = await program.GET('/api/v1/executions/{id}/output/{stream}', {
  params: { path: { id: execution.data.id, stream: 'stdout' } },
  parseAs: 'text',
});
if (output.error) throw new Error(output.error.detail);
process.stdout.write(output.data);
