import { Command, InvalidArgumentError } from 'commander';

import { createNats } from '../composition/connect-nats.js';
import { ORCHESTRATOR, PROJECTOR, WEBHOOKS } from '../composition/postgres-options.js';
import { orchestratorProjections, projectorProjections, webhooksProjections } from '../composition/projections.js';
import type { RecordedEvent } from '../event-sourcing/core/event.js';
import { EventsStream } from '../event-sourcing/relay/events-stream.js';
import { leastCheckpoint } from '../event-sourcing/subscription/checkpoint-store.js';
import { Unavailable } from '../kernel/errors.js';
import { type ChainHead, checkChain } from '../operations/audit/check-chain.js';
import { checkContents } from '../operations/audit/check-contents.js';
import { checkPositions, checkVersions } from '../operations/audit/check-order.js';
import { checkStream } from '../operations/audit/check-stream.js';
import { checkView } from '../operations/audit/check-view.js';
import type { CheckReport } from '../operations/audit/finding.js';
import { delay } from '../platform/async/delay.js';
import { reportingOutages } from '../platform/postgres/outage.js';
import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import { LifecycleInvariant } from '../tasks/domain/lifecycle-invariant.js';
import { type CliContext, withLog } from './cli-context.js';
import { EXIT_FAULTS, EXIT_UNABLE } from './exit-codes.js';
import { print, warn } from './output.js';
import { wholeNumberArgument } from './whole-number.js';

const WAIT_SECONDS_DEFAULT = 10;
const NATS_WAIT_MS = 5_000;
const LAG_POLL_MS = 50;

interface VerifyOptions {
  readonly wait: number;
  readonly nats: boolean;
  readonly expectHead?: ChainHead;
  readonly json?: true;
}

export const verifyCommand = (): Command =>
  new Command('verify')
    .option(
      '--wait <seconds>',
      'how long to wait for the views and JetStream to reach the log’s current end',
      wholeNumberArgument,
      WAIT_SECONDS_DEFAULT,
    )
    .option('--no-nats', 'do not check JetStream')
    .option(
      '--expect-head <position:hash>',
      'require that the log contains the head that an earlier verify printed',
      headArgument,
    )
    .option('--json', 'print the reports as JSON')
    .addHelpText('after', '\nExit codes: 0 no faults, 1 faults found, 2 could not check, 64 usage error.')
    .action((options: VerifyOptions) => withLog((context) => reportingOutages(() => verify(context, options))));

async function verify(context: CliContext, options: VerifyOptions): Promise<void> {
  const { head, chainHead, lagging, reports } = await examine(context, options);
  const hash = chainHead === null ? null : `${chainHead.position}:${chainHead.hash}`;
  if (options.json) print(JSON.stringify({ head: String(head), chain_head: hash, lagging, reports }, null, 2));
  else print([textOf(reports), ...(hash === null ? [] : [`head   ${hash}`])].join('\n'));
  if (lagging) warn(`the views are still behind position ${head} after ${options.wait} s`);
  if (reports.some(({ faultCount }) => faultCount > 0)) process.exitCode = EXIT_FAULTS;
  else if (lagging) process.exitCode = EXIT_UNABLE;
}

export interface Examination {
  /** Everything is checked up to here: the log's end when the check started. */
  readonly head: bigint;
  /** Keep it elsewhere and pass it to a later check. Null: the log is empty, or its chain does not match. */
  readonly chainHead: ChainHead | null;
  /** The views did not reach `head` in time. */
  readonly lagging: boolean;
  readonly reports: readonly CheckReport[];
}

/** By the subscription whose checkpoint they advance with. */
const PROJECTIONS = {
  [PROJECTOR]: projectorProjections,
  [ORCHESTRATOR]: orchestratorProjections,
  [WEBHOOKS]: webhooksProjections,
};

/** @throws Unavailable */
export async function examine(
  context: CliContext,
  options: Pick<VerifyOptions, 'wait' | 'nats' | 'expectHead'>,
): Promise<Examination> {
  const { pool, store, catalog } = context;
  const head = await store.head();
  const deadline = Date.now() + options.wait * 1_000;
  const lagging = !(await viewsReach(context, head.position, deadline));
  const invariant = lifecycleInvariant();
  const chain = await checkChain(pool, head.position, options.expectHead);
  const reports = [
    await checkPositions(pool, head.position),
    await checkVersions(pool, head.position),
    chain.report,
    ...(await checkContents({ log: store, pool, catalog, invariant, head: head.position })),
  ];
  for (const [subscription, projections] of Object.entries(PROJECTIONS)) {
    for (const projection of projections) reports.push(await checkView(pool, catalog, projection, subscription));
  }
  if (options.nats) reports.push(await verifyStream(context, head, deadline));
  return { head: head.position, chainHead: chain.head, lagging, reports };
}

async function viewsReach({ pool }: CliContext, head: bigint, deadline: number): Promise<boolean> {
  for (;;) {
    if ((await leastCheckpoint(pool, [PROJECTOR, ORCHESTRATOR])) >= head) return true;
    if (Date.now() > deadline) return false;
    await delay(LAG_POLL_MS);
  }
}

async function verifyStream(
  { config, log, store }: CliContext,
  head: { position: bigint; epoch: number },
  deadline: number,
): Promise<CheckReport> {
  const nats = createNats(config, log);
  nats.start();
  try {
    if (!(await nats.whenConnected(NATS_WAIT_MS)))
      throw new Unavailable('nats', 'NATS does not respond (--no-nats skips it)');
    const stream = new EventsStream({
      nats,
      prefix: config.NATS_STREAM_PREFIX,
      bytesMax: config.NATS_EVENTS_MAX_BYTES,
    });
    for (;;) {
      const tail = (await stream.info()) && (await stream.tail());
      if ((tail?.message?.position ?? 0n) >= head.position || Date.now() > deadline) break;
      await delay(LAG_POLL_MS);
    }
    return await checkStream(store, nats, stream, { head: head.position, epoch: head.epoch });
  } finally {
    await nats.close();
  }
}

function lifecycleInvariant(): (event: RecordedEvent) => string | null {
  const invariant = new LifecycleInvariant();
  return ({ stream, type }) =>
    stream.type === 'execution' ? invariant.see(stream.id, type as ExecutionEvent['type']) : null;
}

function headArgument(text: string): ChainHead {
  const parts = /^([1-9]\d{0,17}):([0-9a-f]{64})$/i.exec(text);
  if (!parts) throw new InvalidArgumentError('Expected POSITION:HASH, as verify prints it.');
  return { position: BigInt(parts[1]!), hash: parts[2]!.toLowerCase() };
}

function textOf(reports: readonly CheckReport[]): string {
  return reports
    .flatMap(({ check, examined, faultCount, faults }) => [
      `${faultCount === 0 ? 'ok   ' : 'FAULT'}  ${check} (${examined})`,
      ...faults.map((fault) => `         ${fault}`),
      ...(faultCount > faults.length ? [`         … and ${faultCount - faults.length} more`] : []),
    ])
    .join('\n');
}
