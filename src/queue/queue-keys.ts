/**
 * The queue's keys, in the order in which the scripts read them. The set is fixed, so that scripts can declare all keys
 * that they access. All keys have one hash tag, so that a Redis Cluster keeps them on one node.
 *
 * Rejected: one key per user and band. The scripts would build these names themselves, undeclared, and 10,000 users
 * would need up to 110,000 keys. A lexicographic range in one sorted set finds a user's first job as fast, O(log n).
 */
const QUEUE_KEYS = [
  /** hash: job id → record (JSON). A job without a record does not exist. */
  'jobs',
  /** sorted set, all scores 0: `band|user|sequence|job id` per waiting job. A prefix: a user's queue in a band. */
  'queued',
  /** sorted set: `band|user` of each user who may be served, best first: score = (10 − band) · 10^14 + turn. */
  'rotation',
  /** set: users at their limit; they are not served until one of their leases ends. */
  'parked',
  /** sorted set: waiting job id → ready since, ms. */
  'waiting',
  /** sorted set: waiting job id → time at which it moves to the next band, ms. */
  'ageing',
  /** sorted set: delayed job id → not before, ms. */
  'delayed',
  /** sorted set: leased job id → deadline, ms. */
  'leases',
  /** sorted set, all scores 0: `user|job id` of every lease. A prefix counts a user's leases: no counter can drift. */
  'slots',
  /** hash: the next sequence and turn; deleted whenever the queue is empty. */
  'counters',
  /** list of at most one wake token, which means: one waiting caller should check for a job again. */
  'wake',
] as const;

const WORKER_KEYS = [
  /** sorted set: worker id → alive until, ms. */
  'workers',
  /** hash: worker id → heartbeat (JSON). */
  'worker-details',
] as const;

const named = (namespace: string, names: readonly string[]) => names.map((name) => `{${namespace}}:queue:${name}`);

export const queueKeys = (namespace: string): readonly string[] => named(namespace, QUEUE_KEYS);

export const workerKeys = (namespace: string): readonly string[] => named(namespace, WORKER_KEYS);

export const wakeKey = (namespace: string): string => named(namespace, ['wake'])[0]!;
