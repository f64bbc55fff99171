import { AppendNotifier } from '../../../src/event-sourcing/event-store/append-notifier.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

describe('AppendNotifier', () => {
  const notifierWhere = (othersListen: boolean) => {
    const sent: string[] = [];
    const notify = (payload: string) => Promise.resolve(sent.push(payload));
    return { sent, notifier: new AppendNotifier(notify, { areListening: () => othersListen }, silentLog) };
  };

  it('notifies listeners of this process at once, and other processes of the newest position', async () => {
    const { sent, notifier } = notifierWhere(true);
    const told: bigint[] = [];
    notifier.onAppended((position) => told.push(position));

    notifier.announce(3n);
    notifier.announce(5n);
    notifier.announce(4n);
    expect(told).toEqual([3n, 5n, 4n]);

    await notifier.close();
    expect(sent).toEqual(['5']);
  });

  it('sends nothing if no other process listens', async () => {
    const { sent, notifier } = notifierWhere(false);
    const told: bigint[] = [];
    notifier.onAppended((position) => told.push(position));

    notifier.announce(3n);
    await notifier.close();

    expect(told).toEqual([3n]);
    expect(sent).toEqual([]);
  });
});
