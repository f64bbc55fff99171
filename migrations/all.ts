import { Migration20260101000000 } from './Migration20260101000000_event_store.js';
import { Migration20260101000100 } from './Migration20260101000100_subscriptions.js';
import { Migration20260102000000 } from './Migration20260102000000_identity.js';
import { Migration20260103000000 } from './Migration20260103000000_views.js';
import { Migration20260111000000 } from './Migration20260111000000_refresh_grace.js';
import { Migration20260111000100 } from './Migration20260111000100_external_runs.js';
import { Migration20260112000000 } from './Migration20260112000000_hash_chain.js';
import { Migration20260114000000 } from './Migration20260114000000_execution_notes.js';
import { Migration20261129000000 } from './Migration20261129000000_retention.js';
import { Migration20261129000100 } from './Migration20261129000100_unnamed_scripts.js';
import { Migration20261130000000 } from './Migration20261130000000_compiled_programs.js';
import { Migration20261130000100 } from './Migration20261130000100_execution_results.js';
import { Migration20261130000200 } from './Migration20261130000200_test_suites.js';
import { Migration20261130000300 } from './Migration20261130000300_batches.js';
import { Migration20261201000000 } from './Migration20261201000000_api_keys.js';
import { Migration20261201000100 } from './Migration20261201000100_webhooks.js';
import { Migration20261201000200 } from './Migration20261201000200_sealed_log.js';
import { Migration20261201000320 } from './Migration20261201000320_erasures.js';

/** Oldest first, each by the name of its file. */
export const MIGRATIONS = [
  { name: 'Migration20260101000000_event_store', class: Migration20260101000000 },
  { name: 'Migration20260101000100_subscriptions', class: Migration20260101000100 },
  { name: 'Migration20260102000000_identity', class: Migration20260102000000 },
  { name: 'Migration20260103000000_views', class: Migration20260103000000 },
  { name: 'Migration20260111000000_refresh_grace', class: Migration20260111000000 },
  { name: 'Migration20260111000100_external_runs', class: Migration20260111000100 },
  { name: 'Migration20260112000000_hash_chain', class: Migration20260112000000 },
  { name: 'Migration20260114000000_execution_notes', class: Migration20260114000000 },
  { name: 'Migration20261129000000_retention', class: Migration20261129000000 },
  { name: 'Migration20261129000100_unnamed_scripts', class: Migration20261129000100 },
  { name: 'Migration20261130000000_compiled_programs', class: Migration20261130000000 },
  { name: 'Migration20261130000100_execution_results', class: Migration20261130000100 },
  { name: 'Migration20261130000200_test_suites', class: Migration20261130000200 },
  { name: 'Migration20261130000300_batches', class: Migration20261130000300 },
  { name: 'Migration20261201000000_api_keys', class: Migration20261201000000 },
  { name: 'Migration20261201000100_webhooks', class: Migration20261201000100 },
  { name: 'Migration20261201000200_sealed_log', class: Migration20261201000200 },
  { name: 'Migration20261201000320_erasures', class: Migration20261201000320 },
];
