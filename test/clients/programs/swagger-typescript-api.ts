// node program.js URL: registers, creates an API key, runs a program with it, and prints the output. Any other status
// than 2xx is thrown, as a response whose `error` is the problem.
import { Api } from './api.js';

const { api, setSecurityData } = new Api<string>({
  baseUrl: process.argv[2]!,
  securityWorker: (token) => ({ headers: { authorization: `Bearer ${token}` } }),
});

const email = `${crypto.randomUUID()}@example.com`;
const account = await api.register({ email, password: 'correct horse battery', name: 'Ada' });
setSecurityData(account.data.access_token);

const created = await api.createKey({ name: 'example', scopes: ['executions:write', 'executions:read'] });
setSecurityData(created.data.key);

const { data: execution } = await api.runOnce(
  {
    name: 'Hello',
    script_type: 'bash',
    script_content: 'read -r name; echo "Hello, $name, from $1"',
    input: { args: ['swagger-typescript-api'], stdin: 'Ada\n' },
  },
  { wait: 60 },
);
if (execution.status !== 'completed') throw new Error(`the execution is ${execution.status}`);

const output = await api.executionOutput(execution.id, 'stdout');
process.stdout.write(await output.text());
