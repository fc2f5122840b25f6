import type { Migration } from './migration.ts'

export const initial: Migration = {
  version: 1,
  name: 'initial',
  sqlite: [
    'CREATE TABLE projects (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT',
    `CREATE TABLE responses (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      status TEXT NOT NULL
        CHECK (status IN ('queued', 'in_progress', 'completed', 'failed', 'cancelled', 'incomplete', 'deleted')),
      previous_response_id TEXT,
      parent_seq INTEGER,
      expires_at INTEGER,
      purge_at INTEGER,
      item_bytes INTEGER NOT NULL,
      body TEXT NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX responses_id ON responses (project, id)',
    'CREATE INDEX responses_children ON responses (parent_seq) WHERE parent_seq IS NOT NULL',
    'CREATE INDEX responses_purge ON responses (purge_at) WHERE purge_at IS NOT NULL',
    `CREATE INDEX responses_unfinished ON responses (status) WHERE status IN ('queued', 'in_progress')`,
    `CREATE TABLE items (
      seq INTEGER PRIMARY KEY,
      response_seq INTEGER NOT NULL REFERENCES responses (seq) ON DELETE CASCADE,
      side TEXT NOT NULL CHECK (side IN ('input', 'output')),
      position INTEGER NOT NULL,
      key INTEGER NOT NULL,
      body TEXT NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX items_place ON items (response_seq, side, position)',
    'CREATE INDEX items_key ON items (key)',
    `CREATE TABLE usage (
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      response_id TEXT NOT NULL,
      provider TEXT NOT NULL,
      model TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('completed', 'failed', 'aborted')),
      input_tokens INTEGER NOT NULL,
      cached_tokens INTEGER NOT NULL,
      cache_write_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      reasoning_tokens INTEGER NOT NULL,
      total_tokens INTEGER NOT NULL,
      estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
      duration_ms REAL NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (project, id)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE api_keys (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      project_id TEXT NOT NULL,
      name TEXT NOT NULL,
      digest TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER
    ) STRICT`,
    'CREATE TABLE probe (id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT',
    'INSERT INTO probe (id, value) VALUES (1, 1)',
  ],
}
