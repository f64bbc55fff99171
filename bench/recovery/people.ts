import { delay } from '../../src/platform/async/delay.js';
import { ApiClient } from '../../test/support/api-client.js';

/** Executions that each person keeps in progress. */
export const RUNS_EACH = 5;
const PEOPLE = 2;
/** Before the next try after a failed request, which may reach the other of the two APIs. */
const RETRY_MS = 20;

/** Users who always keep executions in progress and retry failed requests. The log is measured, not the requests. */
export class People {
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  /** @param script takes about half a second, so that a fault meets most of them while they run */
  async begin(urls: () => string, script: string): Promise<void> {
    const retry = { max_attempts: 10, initial_delay_ms: 1_000, backoff_factor: 1, max_delay_ms: 1_000 };
    const task = { script_type: 'bash', max_parallel: RUNS_EACH, retry, script_content: script } as const;
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => ApiClient.register(urls)));
    const tasks = await Promise.all(people.map((client) => client.createTask(task as never)));
    const loops = people.flatMap((client, index) =>
      Array.from({ length: RUNS_EACH }, () => this.live(client, tasks[index]!.id)),
    );
    this.running = Promise.all(loops);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async live(client: ApiClient, taskId: string): Promise<void> {
    while (!this.stopped) {
      if (!(await this.hasRun(client, taskId))) await delay(RETRY_MS);
    }
  }

  /** False if the request fails, or no API is up. */
  private async hasRun(client: ApiClient, taskId: string): Promise<boolean> {
    try {
      return (await client.request('POST', `/tasks/${taskId}/executions?wait=30`)).status === 201;
    } catch {
      return false;
    }
  }
}
