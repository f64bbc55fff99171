import type { components } from './generated/api.js';

type Schemas = components['schemas'];

export type Task = Schemas['Task'];
export type CreateTask = Schemas['CreateTask'];
export type UpdateTask = Schemas['UpdateTask'];
export type Execution = Schemas['Execution'];
export type ExecutionReport = Schemas['ExecutionReport'];
export type StartExecution = Schemas['StartExecution'];
export type RunOnce = Schemas['RunOnce'];
export type RerunExecution = Schemas['RerunExecution'];
export type RerunExecutions = Schemas['RerunExecutions'];
export type AcceptedStdin = Schemas['AcceptedStdin'];
export type OutputFile = Schemas['OutputFile'];
export type TestResult = Schemas['TestResult'];
export type Batch = Schemas['Batch'];
export type BatchSummary = Schemas['BatchSummary'];
export type CreatedBatch = Schemas['CreatedBatch'];
export type CreatedReruns = Schemas['CreatedReruns'];
export type Runtime = Schemas['Runtime'];
export type Checkpoint = Schemas['Checkpoint'];
export type ConsistencyProof = Schemas['ConsistencyProof'];
export type Key = Schemas['Key'];
export type CreateKey = Schemas['CreateKey'];
export type CreatedKey = Schemas['CreatedKey'];
export type Webhook = Schemas['Webhook'];
export type CreateWebhook = Schemas['CreateWebhook'];
export type UpdateWebhook = Schemas['UpdateWebhook'];
export type WebhookWithSecret = Schemas['WebhookWithSecret'];
export type WebhookDelivery = Schemas['WebhookDelivery'];
export type WebhookList = Schemas['WebhookList'];
export type WebhookDeliveryList = Schemas['WebhookDeliveryList'];
export type User = Schemas['User'];
export type AuthResponse = Schemas['AuthResponse'];
export type TaskList = Schemas['TaskList'];
export type ExecutionList = Schemas['ExecutionList'];
export type BatchList = Schemas['BatchList'];
export type DeadLetterList = Schemas['DeadLetterList'];
export type Message = Schemas['Message'];
export type Problem = Schemas['Problem'];
export type HistoryEvent = Schemas['History']['events'][number];

export type Limits = NonNullable<StartExecution['limits']>;
export type Retry = NonNullable<StartExecution['retry']>;
export type TestCase = NonNullable<RunOnce['tests']>[number];
export type Judge = NonNullable<RunOnce['judge']>;
/** Where the events of one execution are sent. */
export type ExecutionWebhook = NonNullable<RunOnce['webhook']>;
export type FieldError = NonNullable<Problem['validation_errors']>[number];

/** Name or alias of a runtime. Operators may declare others than those of the API's document. */
export type Language = RunOnce['script_type'] | (string & {});

export type OutputStream = 'stdout' | 'stderr';

export const hasEnded = ({ status }: Pick<Execution, 'status'>): boolean =>
  status !== 'pending' && status !== 'running';
