import type { Migration } from './migration.ts'

export const idempotencyKeys: Migration = {
  version: 3,
  name: 'idempotency-keys',
  sqlite: [
    `CREATE TABLE idempotency_keys (
      project INTEGER NOT NULL REFERENCES projects (seq),
      endpoint TEXT NOT NULL,
      key_digest TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      token TEXT,
      lease_until INTEGER,
      response_id TEXT,
      sealed TEXT,
      expires_at INTEGER NOT NULL,
      PRIMARY KEY (project, endpoint, key_digest)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)',
    'CREATE INDEX idempotency_keys_claimed ON idempotency_keys (token) WHERE token IS NOT NULL',
  ],
  postgres: [
    `CREATE TABLE idempotency_keys (
      project integer NOT NULL REFERENCES projects (seq),
      endpoint text NOT NULL,
      key_digest text NOT NULL,
      fingerprint text NOT NULL,
      token text,
      lease_until bigint,
      response_id text,
      sealed text,
      expires_at bigint NOT NULL,
      owner bigint,
      PRIMARY KEY (project, endpoint, key_digest)
    )`,
    'CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)',
    'CREATE INDEX idempotency_keys_claimed ON idempotency_keys (token) WHERE token IS NOT NULL',
  ],
}
