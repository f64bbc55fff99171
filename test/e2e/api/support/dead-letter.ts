import type { Api, Person } from './api.js';
import { startAttempt } from './attempts.js';

/** @returns the id of an execution without attempts left */
export async function deadLetterOf(api: Api, who: Person): Promise<string> {
  const task = await who.createTask({ retry: { max_attempts: 1, retry_on: ['exit_code'] } });
  const { id } = await who.start(task.id);
  await (await startAttempt(api, id)).fail(3);
  await who.client.follow(id, ({ dead_lettered }) => dead_lettered);
  return id;
}
