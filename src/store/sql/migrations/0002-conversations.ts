import type { Migration } from './migration.ts'

export const conversations: Migration = {
  version: 2,
  name: 'conversations',
  sqlite: [
    `CREATE TABLE conversations (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      metadata TEXT NOT NULL,
      next_position INTEGER NOT NULL,
      item_bytes INTEGER NOT NULL,
      lock_token TEXT,
      lock_until INTEGER,
      deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
      purge_at INTEGER
    ) STRICT`,
    'CREATE UNIQUE INDEX conversations_id ON conversations (project, id)',
    'CREATE INDEX conversations_locked ON conversations (lock_token) WHERE lock_token IS NOT NULL',
    'CREATE INDEX conversations_purge ON conversations (purge_at) WHERE purge_at IS NOT NULL',
    `CREATE TABLE conversation_items (
      seq INTEGER PRIMARY KEY,
      conversation_seq INTEGER NOT NULL REFERENCES conversations (seq) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      key INTEGER NOT NULL,
      body TEXT NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX conversation_items_place ON conversation_items (conversation_seq, position)',
    'CREATE INDEX conversation_items_key ON conversation_items (key)',
  ],
  postgres: [
    `CREATE TABLE conversations (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      project integer NOT NULL REFERENCES projects (seq),
      id text NOT NULL,
      created_at bigint NOT NULL,
      metadata text NOT NULL,
      next_position integer NOT NULL,
      item_bytes bigint NOT NULL,
      lock_token text,
      lock_until bigint,
      deleted smallint NOT NULL CHECK (deleted IN (0, 1)),
      purge_at bigint,
      owner bigint
    )`,
    'CREATE UNIQUE INDEX conversations_id ON conversations (project, id)',
    'CREATE INDEX conversations_locked ON conversations (lock_token) WHERE lock_token IS NOT NULL',
    'CREATE INDEX conversations_purge ON conversations (purge_at) WHERE purge_at IS NOT NULL',
    `CREATE TABLE conversation_items (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      conversation_seq bigint NOT NULL REFERENCES conversations (seq) ON DELETE CASCADE,
      position integer NOT NULL,
      key bigint NOT NULL,
      body text NOT NULL
    )`,
    'CREATE UNIQUE INDEX conversation_items_place ON conversation_items (conversation_seq, position)',
    'CREATE INDEX conversation_items_key ON conversation_items (key)',
  ],
}
