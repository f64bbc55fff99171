import type { StreamType } from '../../src/event-sourcing/core/event.js';
import { ApiClient } from './api-client.js';
import { eventually } from './eventually.js';
import { startTestService, type TestService } from './service.js';
import { WebhookReceiver } from './webhook-receiver.js';
import { FakeTimeWebhooks } from './webhooks-role.js';

export interface Webhook {
  readonly id: string;
  readonly secret: string;
  readonly status: string;
  readonly disabled_reason: string | null;
}

/** A row of the table of deliveries. */
export interface Delivery {
  readonly id: string;
  readonly event_id: string;
  readonly status: string;
  readonly attempts: number;
  readonly abandoned_reason: string | null;
  readonly due_at: Date | null;
}

/** A user, a receiver, and the webhooks role with a clock that the test moves. */
export class WebhookScenario {
  private constructor(
    readonly service: TestService,
    readonly receiver: WebhookReceiver,
    readonly user: ApiClient,
    private readonly taskId: string,
    public role: FakeTimeWebhooks,
  ) {}

  /** A service without the role, whose executions somebody else runs and reports. */
  static startService(): Promise<TestService> {
    return startTestService({
      VOIDRUNNER_ROLES: 'api,relay,projector',
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      WEBHOOK_BACKLOG_MAX: '30',
    });
  }

  static async start(service: TestService): Promise<WebhookScenario> {
    const user = await ApiClient.register(() => service.url);
    const { id } = await user.createTask({ script_type: 'bash', script_content: 'true', max_parallel: 100 });
    const receiver = await WebhookReceiver.start();
    return new WebhookScenario(service, receiver, user, id, FakeTimeWebhooks.start(service));
  }

  async close(): Promise<void> {
    await this.role.stop();
    await this.receiver.close();
  }

  /** The role ends, and another process takes over. */
  async restartRole(): Promise<void> {
    await this.role.stop();
    this.role = FakeTimeWebhooks.start(this.service);
  }

  subscribe(path: string, more: object = {}): Promise<Webhook> {
    return this.user.ok('POST', '/webhooks', { url: this.receiver.url(path), ...more });
  }

  get(id: string): Promise<Webhook> {
    return this.user.ok('GET', `/webhooks/${id}`);
  }

  update(id: string, changes: object): Promise<Webhook> {
    return this.user.ok('PUT', `/webhooks/${id}`, changes);
  }

  /** @returns the id of an execution that waits for its report */
  async started(more: object = {}): Promise<string> {
    return (await this.user.start(this.taskId, { executor: 'external', ...more })).id;
  }

  async report(id: string, more: object = {}): Promise<void> {
    await this.user.ok('PUT', `/executions/${id}`, { status: 'completed', return_code: 0, ...more });
  }

  /** @returns the id of an execution that has ended */
  async ended(report: object = {}): Promise<string> {
    const id = await this.started();
    await this.report(id, report);
    return id;
  }

  /** In the order of their events. */
  async deliveriesOf(webhookId: string): Promise<Delivery[]> {
    const sql = 'select * from read.webhook_deliveries where webhook_id = $1 order by event_time, source_version';
    return (await this.service.database.appPool.query<Delivery>(sql, [webhookId])).rows;
  }

  /** Waits until the deliveries of a webhook are these. */
  shows(webhookId: string, ...expected: Partial<Delivery>[]): Promise<Delivery[]> {
    return eventually(async () => {
      const deliveries = await this.deliveriesOf(webhookId);
      expect(deliveries).toMatchObject(expected);
      return deliveries;
    });
  }

  /** The types of the events of a stream. */
  async typesOf(type: StreamType, id: string): Promise<string[]> {
    return (await this.service.processes[0]!.infra.store.readStream({ type, id })).map((event) => event.type);
  }
}
