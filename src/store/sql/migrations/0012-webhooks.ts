import type { Migration } from './migration.ts'

export const webhooks: Migration = {
  version: 12,
  name: 'webhooks',
  sqlite: [
    `CREATE TABLE webhook_endpoints (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      name TEXT NOT NULL,
      url TEXT NOT NULL,
      event_types TEXT NOT NULL,
      secret TEXT NOT NULL,
      secret_hint TEXT NOT NULL,
      previous_secret TEXT,
      previous_until INTEGER,
      configured INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (project, id)',
    'CREATE INDEX webhook_endpoints_configured ON webhook_endpoints (configured) WHERE configured = 1',
    `CREATE TABLE webhook_deliveries (
      seq INTEGER PRIMARY KEY,
      endpoint_seq INTEGER NOT NULL REFERENCES webhook_endpoints (seq) ON DELETE CASCADE,
      event_id TEXT NOT NULL,
      event_type TEXT NOT NULL,
      response_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      status TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      next_attempt_at INTEGER,
      leased_until INTEGER,
      last_attempt_at INTEGER,
      last_status_code INTEGER,
      last_error TEXT
    ) STRICT`,
    'CREATE UNIQUE INDEX webhook_deliveries_event ON webhook_deliveries (endpoint_seq, event_id)',
    'CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL',
    'CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_seq, next_attempt_at) WHERE next_attempt_at IS NOT NULL',
    'CREATE INDEX webhook_deliveries_leased ON webhook_deliveries (endpoint_seq, leased_until) WHERE leased_until IS NOT NULL',
    'CREATE INDEX webhook_deliveries_expiry ON webhook_deliveries (expires_at) WHERE next_attempt_at IS NULL',
  ],
}
