import { PROGRESS_INTERVAL_MS_MIN } from '../../../src/mcp/limits.js';
import { Progress } from '../../../src/mcp/progress.js';

test('what happens often is told at intervals; a change of state always', async () => {
  let nowMs = 0;
  const sent: [number, string][] = [];
  const progress = new Progress(
    async (count, message) => void sent.push([count, message]),
    () => nowMs,
  );
  await progress.report('queued');
  await progress.reportSometimes(() => 'dropped');
  await progress.report('started');
  nowMs += PROGRESS_INTERVAL_MS_MIN;
  await progress.reportSometimes(() => 'output: 1');
  await progress.reportSometimes(() => 'dropped');
  expect(sent).toEqual([
    [1, 'queued'],
    [2, 'started'],
    [3, 'output: 1'],
  ]);
});

test('nobody who did not ask is told', async () => {
  const progress = new Progress(null);
  await progress.report('queued');
  expect(progress.isWanted).toBe(false);
});
