import { ApiClient, ok, withId } from '../support/api-client.js';
import { startTestService, type TestService } from '../support/service.js';

let service: TestService;
let client: ApiClient;

beforeAll(async () => {
  service = await startTestService();
  client = await ApiClient.register(() => service.url);
});

afterAll(() => service.close());

test.each([
  ['python', "import sys\nprint('héllo')\nprint('oops', file=sys.stderr)"],
  ['javascript', "const os = require('node:os');\nconsole.log('héllo');\nconsole.error('oops');"],
  [
    'typescript',
    "enum Word { Hello = 'héllo' }\nconst word: Word = Word.Hello;\nconsole.log(word);\nconsole.error('oops');",
  ],
  ['bash', 'echo héllo\necho oops >&2'],
  ['go', 'package main\nimport ("fmt"; "os")\nfunc main() { fmt.Println("héllo"); fmt.Fprintln(os.Stderr, "oops") }'],
] as const)('%s runs end to end', async (script_type, script_content) => {
  const execution = await client.run({ script_type, script_content });

  expect(execution).toMatchObject({
    status: 'completed',
    return_code: 0,
    stdout: 'héllo\n',
    stderr: 'oops\n',
    attempt: 1,
    termination_reason: 'exit_code',
    stdout_bytes: 7,
    stdout_truncated: false,
    dead_lettered: false,
  });
  const { events } = await ok(client.api.GET('/api/v1/executions/{id}/events', withId(execution.id)));
  expect(events.map(({ type }) => type)).toEqual([
    'ExecutionRequested',
    'ExecutionAttemptStarted',
    'ExecutionSucceeded',
  ]);
  const task = await ok(client.api.GET('/api/v1/tasks/{id}', withId(execution.task_id)));
  expect(task.status).toBe('completed');
});
