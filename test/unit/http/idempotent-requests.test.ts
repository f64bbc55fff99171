import type { RecordedCommand } from '../../../src/event-sourcing/core/recorded-commands.js';
import type { Exchange } from '../../../src/http/http-commands.js';
import {
  type CommandMark,
  KEY_LIFETIME_MS,
  IdempotentRequests,
} from '../../../src/http/idempotency/idempotent-requests.js';
import { ReadYourWrites } from '../../../src/http/read-your-writes.js';

const VISIBLE = { waitFor: () => Promise.resolve({ reached: true, position: 0n }) };
const USER = 'a user';

/** The log as a map, which is how command lookups see it. */
class Log {
  readonly commands = new Map<string, RecordedCommand>();
  lookups = 0;
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly requests = new IdempotentRequests(this, new ReadYourWrites(VISIBLE, 0), () => this.nowMs);

  find(ids: readonly string[]): Promise<readonly RecordedCommand[]> {
    this.lookups += 1;
    return Promise.resolve(ids.flatMap((id) => this.commands.get(id) ?? []));
  }

  record({ command_id: commandId, command_digest }: CommandMark): string {
    const id = `thing ${this.commands.size}`;
    const position = BigInt(this.commands.size + 1);
    const recordedAt = new Date(this.nowMs);
    const command = {
      digest: command_digest ?? null,
      requestId: 'r',
      stream: { type: 'task' as const, id },
      version: 1,
      position,
      recordedAt,
    };
    this.commands.set(commandId!, { ...command, commandId: commandId! });
    return id;
  }

  /** @returns the result of the request, and whether this request created it */
  async request(body: unknown = {}): Promise<{ id: string; performed: boolean }> {
    let performed = false;
    const route = { method: 'POST', routeOptions: { url: '/tasks' }, params: {} };
    const request = { id: 'r', ...route, headers: { 'idempotency-key': 'k' }, body };
    const exchange = { request, reply: { header: () => undefined } } as unknown as Exchange;
    const { id } = await this.requests.run(exchange, USER, (mark) => {
      performed = true;
      return Promise.resolve(this.record(mark));
    });
    return { id, performed };
  }
}

test('a key lasts for a day, then it is free again', async () => {
  const log = new Log();
  expect(await log.request()).toEqual({ id: 'thing 0', performed: true });
  log.nowMs += KEY_LIFETIME_MS - 1;
  expect(await log.request()).toEqual({ id: 'thing 0', performed: false });
  log.nowMs += 1;
  expect(await log.request('another')).toEqual({ id: 'thing 1', performed: true });
  expect(await log.request('another')).toEqual({ id: 'thing 1', performed: false });
  await expect(log.request()).rejects.toMatchObject({ status: 422 });
});

test('a key that is reused every day for months costs one query per month', async () => {
  const log = new Log();
  const DAYS = 100;
  for (let day = 0; day < DAYS; day += 1) {
    expect(await log.request(day)).toEqual({ id: `thing ${day}`, performed: true });
    expect(await log.request(day)).toEqual({ id: `thing ${day}`, performed: false });
    log.nowMs += KEY_LIFETIME_MS;
  }
  const before = log.lookups;
  await log.request();
  // Four for a hundred generations, and one for the version of the new object.
  expect(log.lookups - before).toBe(5);
});
