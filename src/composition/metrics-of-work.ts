import { METHODS } from 'node:http';

import type { Meter } from '@opentelemetry/api';

import type { Observations } from '../platform/telemetry/observations.js';
import { VERDICTS } from '../tasks/domain/test-results.js';

const MS_PER_SECOND = 1_000;
/** OpenTelemetry's buckets (semantic conventions, http.server.request.duration), plus two for requests that wait. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];
/** From a warm cell's 20 ms to the hour that a task may ask for. */
const RUN_SECONDS = [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
const WAIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

const FIRST_SERVER_ERROR = 500;
/** One value for all requests without a route: clients can invent any number of paths. */
const UNMATCHED = 'unmatched';
const KNOWN_METHODS = new Set(METHODS);

/** Responses, by method, route and status. A followed output or event stream counts until it ends. */
export function observeRequests(meter: Meter, observations: Observations): void {
  const durations = meter.createHistogram('voidrunner_http_request_duration_seconds', {
    description: 'time from a request to the end of its response, by method, route and status',
    advice: { explicitBucketBoundaries: REQUEST_SECONDS },
  });
  const errors = meter.createCounter('voidrunner_http_request_errors_total', {
    description: 'responses with a status of 500 or above, by method, route and status',
  });
  observations.onRequest = ({ method, route = UNMATCHED, status, durationMs }) => {
    const labels = { method: KNOWN_METHODS.has(method) ? method : 'other', route, status: String(status) };
    durations.record(durationMs / MS_PER_SECOND, labels);
    if (status >= FIRST_SERVER_ERROR) errors.add(1, labels);
  };
}

/** Runs of this worker. */
export function observeRuns(meter: Meter, observations: Observations): void {
  const durations = meter.createHistogram('voidrunner_run_duration_seconds', {
    description: 'time of a run in its sandbox, by language and outcome',
    advice: { explicitBucketBoundaries: RUN_SECONDS },
  });
  const waits = meter.createHistogram('voidrunner_queue_wait_seconds', {
    description: 'time of a job in the queue until a worker starts it, without retry delays',
    advice: { explicitBucketBoundaries: WAIT_SECONDS },
  });
  observations.onRun = ({ scriptType, outcome, durationMs }) =>
    durations.record(durationMs / MS_PER_SECOND, { script_type: scriptType, outcome });
  const files = meter.createCounter('voidrunner_files_stored_total', { description: 'files of runs that were stored' });
  const bytes = meter.createCounter('voidrunner_files_stored_bytes_total', { description: 'their bytes' });
  const onFiles: Observations['onFiles'] = (stored) => {
    files.add(stored.files);
    bytes.add(stored.bytes);
  };
  // A counter exists from its first value on: dashboards find these before a run keeps a file.
  onFiles({ files: 0, bytes: 0 });
  observations.onFiles = onFiles;
  const tests = meter.createCounter('voidrunner_tests_total', {
    description: 'tests of suites that were run, by verdict',
  });
  for (const verdict of VERDICTS) tests.add(0, { verdict });
  observations.onTest = (verdict) => tests.add(1, { verdict });
  const stdin = meter.createCounter('voidrunner_stdin_bytes_total', {
    description: 'bytes of interactive input that were accepted for running programs',
  });
  stdin.add(0);
  observations.onStdin = (accepted) => stdin.add(accepted);
  observations.onQueueWait = (waitedMs) => waits.record(waitedMs / MS_PER_SECOND);
}

/** Attempts at deliveries to webhooks that this process makes. */
export function observeWebhooks(meter: Meter, observations: Observations): void {
  const durations = meter.createHistogram('voidrunner_webhook_attempt_duration_seconds', {
    description: 'time from the look-up of a webhook’s host to the head of its response, by outcome',
    advice: { explicitBucketBoundaries: REQUEST_SECONDS },
  });
  observations.onWebhookAttempt = (outcome, durationMs) => durations.record(durationMs / MS_PER_SECOND, { outcome });
}

/** What the sealer of this process finds. */
export function observeSealing(meter: Meter, observations: Observations): void {
  meter
    .createObservableGauge('voidrunner_sealing_refused', {
      description: '1 if the log contradicts a signed checkpoint, so that nothing more is sealed',
    })
    .addCallback((result) => result.observe(observations.sealingRefused ? 1 : 0));
}

/** Items of batches that this process starts. */
export function observeBatches(meter: Meter, observations: Observations): void {
  const items = meter.createCounter('voidrunner_batch_items_total', {
    description: 'executions of batches of reruns, when their turn came, by outcome',
  });
  observations.onBatchItem = (outcome) => items.add(1, { outcome });
  for (const outcome of ['started', 'refused']) items.add(0, { outcome });
}
