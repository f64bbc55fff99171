import { randomUUID } from 'node:crypto';

import type { PlantedSecrets } from './planted-secrets.js';

const PYTHON = 71;

/** Sends secrets to the façades, which the API's document does not describe: in contents, and as keys. */
export async function sendToFacades(url: string, secrets: PlantedSecrets): Promise<void> {
  const send = async (path: string, body: object, headers: Record<string, string>) => {
    const type = { 'content-type': 'application/json' };
    const init = { method: 'POST', body: JSON.stringify(body), headers: { ...type, ...headers } };
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, any> };
  };
  const plant = (field: string): string => secrets.plant(`facades.${field}`);
  const person = { email: `${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Facade' };
  const { body: account } = await send('/api/v1/auth/register', person, {});
  const headers = { authorization: `Bearer ${account['access_token']}` };

  const submission = {
    ...{ language_id: PYTHON, source_code: `import sys; print(sys.stdin.read()) # ${plant('source_code')}` },
    ...{ stdin: plant('stdin'), expected_output: plant('expected_output') },
    command_line_arguments: plant('command_line_arguments'),
  };
  const ended = await send('/judge0/submissions?wait=true', submission, headers);
  expect(ended).toMatchObject({ status: 201, body: { status: { id: 4 }, stdout: `${submission.stdin}\n` } });
  const refused = { ...submission, callback_url: plant('callback_url'), compiler_options: plant('compiler_options') };
  expect((await send('/judge0/submissions', refused, headers)).status).toBe(422);
  const files = [
    { content: `print(input()) # ${plant('files.content')}` },
    { name: plant('files.name'), content: plant('files.other') },
  ];
  const program = { language: 'python', version: '*', files, stdin: plant('piston.stdin'), args: [plant('args')] };
  expect(await send('/piston/api/v2/execute', program, headers)).toMatchObject({
    status: 200,
    body: { run: { code: 0 } },
  });

  const basic = Buffer.from(`key:${plant('basic')}`).toString('base64');
  secrets.add(basic, 'facades.basic');
  for (const wrong of [
    { authorization: `Basic ${basic}` },
    { authorization: plant('authorization') },
    { 'x-auth-token': plant('x-auth-token') },
    { 'x-rapidapi-key': plant('x-rapidapi-key') },
  ] as Record<string, string>[]) {
    expect((await send('/judge0/submissions', submission, wrong)).status).toBe(401);
  }
}
