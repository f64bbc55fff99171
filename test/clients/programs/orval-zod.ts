// node program.js URL: registers, creates an API key, runs a program with it, and prints the output. Requests and
// responses are checked by the generated schemas.
import * as schemas from './api.js';

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(new URL(path, process.argv[2]), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return await response.json();
}

const person = { email: `${crypto.randomUUID()}@example.com`, password: 'correct horse battery', name: 'Ada' };
const account = schemas.RegisterResponse.parse(await post('/api/v1/auth/register', schemas.RegisterBody.parse(person)));

const wanted = schemas.CreateKeyBody.parse({ name: 'example', scopes: ['executions:write', 'executions:read'] });
const authorization = `Bearer ${account.access_token}`;
const { key } = schemas.CreateKeyResponse.parse(await post('/api/v1/keys', wanted, { authorization }));

const program = schemas.RunOnceBody.parse({
  name: 'Hello',
  script_type: 'bash',
  script_content: 'read -r name; echo "Hello, $name, from $1"',
  input: { args: ['orval-zod'], stdin: 'Ada\n' },
});
const execution = schemas.RunOnceResponse.parse(
  await post('/api/v1/executions?wait=60', program, { 'X-API-Key': key }),
);
if (execution.status !== 'completed') throw new Error(`the execution is ${execution.status}`);
process.stdout.write(execution.stdout ?? '');
