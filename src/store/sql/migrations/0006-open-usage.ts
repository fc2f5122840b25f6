import type { Migration } from './migration.ts'

const COLUMNS = `project, id, key_id, response_id, provider, model, outcome, input_tokens, cached_tokens,
  cache_write_tokens, output_tokens, reasoning_tokens, total_tokens, estimated, duration_ms, created_at`

/** Rows are opened before a call and may be left open; and they know what the call cost. */
export const openUsage: Migration = {
  version: 6,
  name: 'open-usage',
  sqlite: [
    'ALTER TABLE usage RENAME TO usage_before',
    `CREATE TABLE usage (
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      response_id TEXT NOT NULL,
      provider TEXT NOT NULL,
      model TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('running', 'completed', 'failed', 'aborted', 'interrupted')),
      input_tokens INTEGER NOT NULL,
      cached_tokens INTEGER NOT NULL,
      cache_write_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      reasoning_tokens INTEGER NOT NULL,
      total_tokens INTEGER NOT NULL,
      estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
      duration_ms REAL NOT NULL,
      created_at INTEGER NOT NULL,
      cost_usd REAL,
      cost TEXT,
      PRIMARY KEY (project, id)
    ) STRICT, WITHOUT ROWID`,
    `INSERT INTO usage (${COLUMNS}) SELECT ${COLUMNS} FROM usage_before`,
    'DROP TABLE usage_before',
    `CREATE INDEX usage_running ON usage (outcome) WHERE outcome = 'running'`,
  ],
  postgres: [
    'ALTER TABLE usage DROP CONSTRAINT usage_outcome_check',
    `ALTER TABLE usage ADD COLUMN cost_usd double precision, ADD COLUMN cost text, ADD COLUMN owner bigint,
      ADD CHECK (outcome IN ('running', 'completed', 'failed', 'aborted', 'interrupted'))`,
    `CREATE INDEX usage_running ON usage (outcome) WHERE outcome = 'running'`,
  ],
}
