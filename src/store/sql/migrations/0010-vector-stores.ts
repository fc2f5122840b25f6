import type { Migration } from './migration.ts'

/**
 * `vector_index_changes`: what the search index has yet to be told. The triggers write it down wherever rows go, so that
 * no way of deleting a file or a store can forget to.
 */
export const vectorStores: Migration = {
  version: 10,
  name: 'vector-stores',
  sqlite: [
    `CREATE TABLE vector_stores (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      name TEXT NOT NULL,
      description TEXT,
      metadata TEXT NOT NULL,
      expires_days INTEGER,
      last_active_at INTEGER NOT NULL,
      expired INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    'CREATE INDEX vector_stores_walk ON vector_stores (id)',
    'CREATE UNIQUE INDEX vector_stores_id ON vector_stores (project, id)',
    'CREATE INDEX vector_stores_order ON vector_stores (project, seq)',
    `CREATE INDEX vector_stores_expiry ON vector_stores (last_active_at + expires_days * 86400)
      WHERE expires_days IS NOT NULL AND expired = 0`,
    `CREATE TABLE vector_store_batches (
      seq INTEGER PRIMARY KEY,
      store_seq INTEGER NOT NULL REFERENCES vector_stores (seq) ON DELETE CASCADE,
      id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      cancelled INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    'CREATE UNIQUE INDEX vector_store_batches_id ON vector_store_batches (store_seq, id)',
    `CREATE TABLE vector_store_files (
      seq INTEGER PRIMARY KEY,
      store_seq INTEGER NOT NULL REFERENCES vector_stores (seq) ON DELETE CASCADE,
      batch_seq INTEGER REFERENCES vector_store_batches (seq),
      document_id TEXT NOT NULL,
      file_id TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      status TEXT NOT NULL,
      attributes TEXT NOT NULL,
      chunk_tokens INTEGER NOT NULL,
      overlap_tokens INTEGER NOT NULL,
      usage_bytes INTEGER NOT NULL DEFAULT 0,
      error_code TEXT,
      error_message TEXT,
      attempts INTEGER NOT NULL DEFAULT 0,
      not_before INTEGER NOT NULL DEFAULT 0
    ) STRICT`,
    'CREATE UNIQUE INDEX vector_store_files_file ON vector_store_files (store_seq, file_id)',
    'CREATE UNIQUE INDEX vector_store_files_document ON vector_store_files (document_id)',
    'CREATE INDEX vector_store_files_counts ON vector_store_files (store_seq, status, usage_bytes)',
    'CREATE INDEX vector_store_files_batch ON vector_store_files (batch_seq, status)',
    'CREATE INDEX vector_store_files_of_file ON vector_store_files (file_id)',
    `CREATE INDEX vector_store_files_queue ON vector_store_files (not_before, seq) WHERE status = 'in_progress'`,
    `CREATE TABLE vector_index_changes (
      seq INTEGER PRIMARY KEY,
      store_id TEXT NOT NULL,
      kind TEXT NOT NULL,
      document_id TEXT,
      body TEXT
    ) STRICT`,
    `CREATE TRIGGER vector_store_file_gone BEFORE DELETE ON vector_store_files BEGIN
      INSERT INTO vector_index_changes (store_id, kind, document_id)
      SELECT id, 'remove', OLD.document_id FROM vector_stores WHERE seq = OLD.store_seq;
    END`,
    `CREATE TRIGGER vector_store_gone BEFORE DELETE ON vector_stores BEGIN
      INSERT INTO vector_index_changes (store_id, kind) VALUES (OLD.id, 'drop');
    END`,
    `CREATE TRIGGER file_gone_from_vector_stores AFTER DELETE ON files BEGIN
      DELETE FROM vector_store_files WHERE file_id = OLD.id
        AND store_seq IN (SELECT seq FROM vector_stores WHERE project = OLD.project);
    END`,
  ],
}
