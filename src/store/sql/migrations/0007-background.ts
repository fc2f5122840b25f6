import type { Migration } from './migration.ts'

export const background: Migration = {
  version: 7,
  name: 'background',
  sqlite: [
    `CREATE TABLE jobs (
      seq INTEGER PRIMARY KEY,
      response_seq INTEGER NOT NULL UNIQUE REFERENCES responses (seq) ON DELETE CASCADE,
      project INTEGER NOT NULL REFERENCES projects (seq),
      key_id TEXT NOT NULL,
      payload TEXT NOT NULL,
      lock_token TEXT,
      token INTEGER NOT NULL,
      lease_until INTEGER,
      started_at INTEGER,
      reruns INTEGER NOT NULL,
      boundary INTEGER NOT NULL,
      seen_past INTEGER,
      cancel INTEGER NOT NULL CHECK (cancel IN (0, 1))
    ) STRICT`,
    'CREATE INDEX jobs_project ON jobs (project, lease_until)',
    'CREATE INDEX jobs_lock ON jobs (lock_token) WHERE lock_token IS NOT NULL',
    `CREATE TABLE job_steps (
      job_seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (job_seq, position)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE event_logs (
      response_seq INTEGER PRIMARY KEY REFERENCES responses (seq) ON DELETE CASCADE,
      expires_at INTEGER,
      purged INTEGER NOT NULL CHECK (purged IN (0, 1))
    ) STRICT`,
    'CREATE INDEX event_logs_expiry ON event_logs (expires_at) WHERE purged = 0 AND expires_at IS NOT NULL',
    `CREATE TABLE event_batches (
      response_seq INTEGER NOT NULL REFERENCES event_logs (response_seq) ON DELETE CASCADE,
      last INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (response_seq, last)
    ) STRICT, WITHOUT ROWID`,
  ],
  postgres: [
    `CREATE TABLE jobs (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      response_seq bigint NOT NULL UNIQUE REFERENCES responses (seq) ON DELETE CASCADE,
      project integer NOT NULL REFERENCES projects (seq),
      key_id text NOT NULL,
      payload text NOT NULL,
      lock_token text,
      token bigint NOT NULL,
      lease_until bigint,
      started_at bigint,
      reruns integer NOT NULL,
      boundary bigint NOT NULL,
      seen_past bigint,
      cancel smallint NOT NULL CHECK (cancel IN (0, 1)),
      owner bigint
    )`,
    'CREATE INDEX jobs_project ON jobs (project, lease_until)',
    'CREATE INDEX jobs_lock ON jobs (lock_token) WHERE lock_token IS NOT NULL',
    `CREATE TABLE job_steps (
      job_seq bigint NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
      position integer NOT NULL,
      body text NOT NULL,
      PRIMARY KEY (job_seq, position)
    )`,
    `CREATE TABLE event_logs (
      response_seq bigint PRIMARY KEY REFERENCES responses (seq) ON DELETE CASCADE,
      expires_at bigint,
      purged smallint NOT NULL CHECK (purged IN (0, 1))
    )`,
    'CREATE INDEX event_logs_expiry ON event_logs (expires_at) WHERE purged = 0 AND expires_at IS NOT NULL',
    `CREATE TABLE event_batches (
      response_seq bigint NOT NULL REFERENCES event_logs (response_seq) ON DELETE CASCADE,
      last bigint NOT NULL,
      body text NOT NULL,
      PRIMARY KEY (response_seq, last)
    )`,
  ],
}
