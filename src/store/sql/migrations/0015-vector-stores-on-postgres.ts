import type { Migration } from './migration.ts'

/**
 * What step 10 made in SQLite, for PostgreSQL, and what is found in vector stores.
 *
 * `owner`: the replica that works on the row. `search_postings`: which chunks have a term, a row for each block of chunks
 * of a document; `hits` holds a number for each chunk, made of its place, how often it has the term and how many terms it
 * has (`src/search-index/postgres/postings.ts`). Text of chunks is JSON, because text here cannot hold every character.
 */
export const vectorStoresOnPostgres: Migration = {
  version: 15,
  name: 'vector-stores-on-postgres',
  sqlite: [],
  postgres: [
    `CREATE TABLE vector_stores (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      project integer NOT NULL REFERENCES projects (seq),
      id text NOT NULL,
      created_at bigint NOT NULL,
      name text NOT NULL,
      description text,
      metadata text NOT NULL,
      expires_days bigint,
      last_active_at bigint NOT NULL,
      expired smallint NOT NULL DEFAULT 0
    )`,
    'CREATE INDEX vector_stores_walk ON vector_stores (id)',
    'CREATE UNIQUE INDEX vector_stores_id ON vector_stores (project, id)',
    'CREATE INDEX vector_stores_order ON vector_stores (project, seq)',
    `CREATE INDEX vector_stores_expiry ON vector_stores ((last_active_at + expires_days * 86400))
      WHERE expires_days IS NOT NULL AND expired = 0`,
    `CREATE TABLE vector_store_batches (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      store_seq bigint NOT NULL REFERENCES vector_stores (seq) ON DELETE CASCADE,
      id text NOT NULL,
      created_at bigint NOT NULL,
      cancelled smallint NOT NULL DEFAULT 0
    )`,
    'CREATE UNIQUE INDEX vector_store_batches_id ON vector_store_batches (store_seq, id)',
    `CREATE TABLE vector_store_files (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      store_seq bigint NOT NULL REFERENCES vector_stores (seq) ON DELETE CASCADE,
      batch_seq bigint REFERENCES vector_store_batches (seq) ON DELETE CASCADE,
      document_id text NOT NULL,
      file_id text NOT NULL,
      created_at bigint NOT NULL,
      status text NOT NULL,
      attributes text NOT NULL,
      chunk_tokens integer NOT NULL,
      overlap_tokens integer NOT NULL,
      usage_bytes bigint NOT NULL DEFAULT 0,
      error_code text,
      error_message text,
      attempts integer NOT NULL DEFAULT 0,
      not_before bigint NOT NULL DEFAULT 0,
      owner bigint
    )`,
    'CREATE UNIQUE INDEX vector_store_files_file ON vector_store_files (store_seq, file_id)',
    'CREATE UNIQUE INDEX vector_store_files_document ON vector_store_files (document_id)',
    'CREATE INDEX vector_store_files_counts ON vector_store_files (store_seq, status, usage_bytes)',
    'CREATE INDEX vector_store_files_batch ON vector_store_files (batch_seq, status)',
    'CREATE INDEX vector_store_files_of_file ON vector_store_files (file_id)',
    `CREATE INDEX vector_store_files_queue ON vector_store_files (not_before, seq) WHERE status = 'in_progress'`,
    `CREATE TABLE vector_index_changes (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      store_id text NOT NULL,
      kind text NOT NULL,
      document_id text,
      body text,
      owner bigint
    )`,
    // A row that goes with its whole store finds no store any more, and then the store is told of alone.
    `CREATE FUNCTION vector_store_file_gone() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
      INSERT INTO vector_index_changes (store_id, kind, document_id)
      SELECT id, 'remove', OLD.document_id FROM vector_stores WHERE seq = OLD.store_seq;
      RETURN OLD;
    END $$`,
    `CREATE TRIGGER vector_store_file_gone BEFORE DELETE ON vector_store_files
      FOR EACH ROW EXECUTE FUNCTION vector_store_file_gone()`,
    `CREATE FUNCTION vector_store_gone() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
      INSERT INTO vector_index_changes (store_id, kind) VALUES (OLD.id, 'drop');
      RETURN OLD;
    END $$`,
    `CREATE TRIGGER vector_store_gone BEFORE DELETE ON vector_stores
      FOR EACH ROW EXECUTE FUNCTION vector_store_gone()`,
    `CREATE FUNCTION file_gone_from_vector_stores() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN
      DELETE FROM vector_store_files WHERE file_id = OLD.id
        AND store_seq IN (SELECT seq FROM vector_stores WHERE project = OLD.project);
      RETURN NULL;
    END $$`,
    `CREATE TRIGGER file_gone_from_vector_stores AFTER DELETE ON files
      FOR EACH ROW EXECUTE FUNCTION file_gone_from_vector_stores()`,
    `CREATE TABLE search_stores (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text NOT NULL UNIQUE
    )`,
    `CREATE TABLE search_documents (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      store bigint NOT NULL REFERENCES search_stores (seq) ON DELETE CASCADE,
      id text NOT NULL,
      file_id text NOT NULL,
      filename text NOT NULL,
      attributes text NOT NULL,
      chunks integer NOT NULL,
      term_count bigint NOT NULL,
      model text,
      dimensions integer,
      UNIQUE (store, id)
    )`,
    'CREATE INDEX search_documents_totals ON search_documents (store, chunks, term_count)',
    `CREATE TABLE search_chunks (
      document bigint NOT NULL REFERENCES search_documents (seq) ON DELETE CASCADE,
      position integer NOT NULL,
      starts bigint NOT NULL,
      ends bigint NOT NULL,
      page integer,
      body text NOT NULL,
      PRIMARY KEY (document, position)
    )`,
    `CREATE TABLE search_postings (
      store bigint NOT NULL,
      term text COLLATE "C" NOT NULL,
      document bigint NOT NULL REFERENCES search_documents (seq) ON DELETE CASCADE,
      block integer NOT NULL,
      hits bigint[] NOT NULL,
      PRIMARY KEY (store, term, document, block)
    )`,
    'CREATE INDEX search_postings_document ON search_postings (document)',
  ],
}
