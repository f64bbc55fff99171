import { blank } from './blanks.js';

/**
 * Rules between the fields of a body, which no schema expresses: each function takes a body that the schema accepts,
 * and returns one that keeps the rules. Without them a generated body with four files is almost never valid.
 */

interface File {
  readonly content: string;
  readonly encoding?: string;
}

interface Input {
  readonly stdin?: string;
  readonly stdin_base64?: string;
  readonly interactive?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: readonly File[];
}

interface Judge {
  readonly compare?: string;
  readonly numbers?: object;
  readonly checker?: object;
}

/** Of a task, of a run, or of both. */
interface RunBody {
  readonly executor?: string;
  readonly tests?: readonly Input[] | null;
  readonly judge?: Judge;
  readonly input?: Input;
  readonly webhook?: Webhook;
}

interface Webhook {
  readonly url: string;
  readonly secret?: string;
}

const CHECKER = { script_type: 'bash', script_content: 'true' };
const NAME = /^[A-Za-z_]\w*$/;

/** Contents are as their encoding says, variables have names, and there is one standard input. */
function relatedInput<T extends Input>({ stdin_base64, env, files, ...input }: T) {
  return {
    ...input,
    ...(stdin_base64 !== undefined && input.stdin === undefined && { stdin_base64 }),
    ...(env && { env: withNames(env) }),
    ...(files && { files: files.map(asEncoded) }),
  };
}

const withNames = (env: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(env).map(([name, value], at) => [NAME.test(name) ? name : `NAME_${at}`, value]));

const asEncoded = (file: File): File =>
  file.encoding === 'base64' ? { ...file, content: Buffer.from(file.content).toString('base64') } : file;

/** A judge has only what its comparison needs. */
function relatedJudge({ numbers, checker = CHECKER, ...judge }: Judge): Judge {
  return {
    ...judge,
    ...(judge.compare === 'numbers' && { numbers }),
    ...(judge.compare === 'checker' && { checker }),
  };
}

/** Its URL leads to a public address, and its secret is one. */
const relatedWebhook = ({ secret, ...webhook }: Webhook): Webhook => ({
  ...webhook,
  url: 'https://example.com/hook',
  ...(secret !== undefined && { secret: `whsec_${Buffer.alloc(32, secret || ' ').toString('base64')}` }),
});

/** A judge needs tests; an external execution has neither, and no interactive input; nor has one with tests. */
export function relatedRun(body: RunBody) {
  const { tests, judge, input, webhook, ...others } = body;
  const isExternal = others.executor === 'external';
  const judged =
    !isExternal && tests ? { tests: tests.map(relatedInput), ...(judge && { judge: relatedJudge(judge) }) } : {};
  const { interactive, ...own } = relatedInput(input ?? {}) as Input;
  const isInteractive = interactive !== undefined && !isExternal && !tests;
  return {
    ...others,
    ...(tests === null && { tests }),
    ...judged,
    ...(webhook && { webhook: relatedWebhook(webhook) }),
    ...(input && { input: { ...own, ...(isInteractive && { interactive }) } }),
  };
}

export const relatedItems = ({
  items,
  webhook,
}: {
  readonly items: readonly RunBody[];
  readonly webhook?: Webhook;
}) => ({
  items: items.map(relatedRun),
  ...(webhook && { webhook: relatedWebhook(webhook) }),
});

interface Filter {
  readonly task_id?: string;
  readonly since?: string;
  readonly until?: string;
}

/** A period ends after it has begun. A filter with a task has nothing else: most combinations match no execution. */
export function relatedFilter({ filter, ...others }: { readonly filter: Filter }) {
  const { task_id, since, until, ...rest } = filter;
  if (task_id !== undefined) return { ...others, filter: { task_id: blank('ended task') } };
  const [first, last] = since && until && since > until ? [until, since] : [since, until];
  return { ...others, filter: { ...rest, ...(first && { since: first }), ...(last && { until: last }) } };
}
