import type { Migration } from './migration.ts'

export const files: Migration = {
  version: 9,
  name: 'files',
  sqlite: [
    `CREATE TABLE blobs (
      key TEXT PRIMARY KEY,
      state TEXT NOT NULL CHECK (state IN ('writing', 'kept', 'dropped')),
      begun_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX blobs_unowned ON blobs (state, begun_at)',
    `CREATE TABLE files (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      filename TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      purpose TEXT NOT NULL,
      media_type TEXT NOT NULL,
      digest TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER
    ) STRICT`,
    'CREATE UNIQUE INDEX files_id ON files (project, id)',
    'CREATE INDEX files_order ON files (project, seq, bytes)',
    'CREATE INDEX files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL',
    `CREATE TABLE file_blobs (
      file_seq INTEGER NOT NULL REFERENCES files (seq) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      key TEXT NOT NULL REFERENCES blobs (key),
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      PRIMARY KEY (file_seq, position)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX file_blobs_key ON file_blobs (key)',
    `CREATE TABLE uploads (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      filename TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      purpose TEXT NOT NULL,
      media_type TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      file_ttl INTEGER,
      status TEXT NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX uploads_id ON uploads (project, id)',
    'CREATE INDEX uploads_expiry ON uploads (expires_at)',
    `CREATE TABLE upload_parts (
      seq INTEGER PRIMARY KEY,
      upload_seq INTEGER NOT NULL REFERENCES uploads (seq) ON DELETE CASCADE,
      id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      key TEXT NOT NULL REFERENCES blobs (key),
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX upload_parts_id ON upload_parts (upload_seq, id)',
    'CREATE INDEX upload_parts_key ON upload_parts (key)',
  ],
  postgres: [
    `CREATE TABLE blobs (
      key text PRIMARY KEY,
      state text NOT NULL CHECK (state IN ('writing', 'kept', 'dropped')),
      begun_at bigint NOT NULL,
      owner bigint
    )`,
    'CREATE INDEX blobs_unowned ON blobs (state, begun_at)',
    `CREATE TABLE files (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      project integer NOT NULL REFERENCES projects (seq),
      id text NOT NULL,
      filename text NOT NULL,
      bytes bigint NOT NULL,
      purpose text NOT NULL,
      media_type text NOT NULL,
      digest text NOT NULL,
      created_at bigint NOT NULL,
      expires_at bigint
    )`,
    'CREATE UNIQUE INDEX files_id ON files (project, id)',
    'CREATE INDEX files_order ON files (project, seq, bytes)',
    'CREATE INDEX files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL',
    `CREATE TABLE file_blobs (
      file_seq bigint NOT NULL REFERENCES files (seq) ON DELETE CASCADE,
      position integer NOT NULL,
      key text NOT NULL REFERENCES blobs (key),
      bytes bigint NOT NULL,
      sha256 text NOT NULL,
      PRIMARY KEY (file_seq, position)
    )`,
    'CREATE INDEX file_blobs_key ON file_blobs (key)',
    `CREATE TABLE uploads (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      project integer NOT NULL REFERENCES projects (seq),
      id text NOT NULL,
      filename text NOT NULL,
      bytes bigint NOT NULL,
      purpose text NOT NULL,
      media_type text NOT NULL,
      created_at bigint NOT NULL,
      expires_at bigint NOT NULL,
      file_ttl bigint,
      status text NOT NULL
    )`,
    'CREATE UNIQUE INDEX uploads_id ON uploads (project, id)',
    'CREATE INDEX uploads_expiry ON uploads (expires_at)',
    `CREATE TABLE upload_parts (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      upload_seq bigint NOT NULL REFERENCES uploads (seq) ON DELETE CASCADE,
      id text NOT NULL,
      created_at bigint NOT NULL,
      key text NOT NULL REFERENCES blobs (key),
      bytes bigint NOT NULL,
      sha256 text NOT NULL
    )`,
    'CREATE UNIQUE INDEX upload_parts_id ON upload_parts (upload_seq, id)',
    'CREATE INDEX upload_parts_key ON upload_parts (key)',
  ],
}
