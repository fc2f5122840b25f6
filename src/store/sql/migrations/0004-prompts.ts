import type { Migration } from './migration.ts'

export const prompts: Migration = {
  version: 4,
  name: 'prompts',
  sqlite: [
    `CREATE TABLE prompts (
      seq INTEGER PRIMARY KEY,
      project INTEGER NOT NULL REFERENCES projects (seq),
      id TEXT NOT NULL,
      name TEXT,
      created_at INTEGER NOT NULL,
      default_version INTEGER NOT NULL,
      latest_version INTEGER NOT NULL
    ) STRICT`,
    'CREATE UNIQUE INDEX prompts_id ON prompts (project, id)',
    'CREATE INDEX prompts_order ON prompts (project, seq)',
    `CREATE TABLE prompt_versions (
      prompt_seq INTEGER NOT NULL REFERENCES prompts (seq) ON DELETE CASCADE,
      version INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (prompt_seq, version)
    ) STRICT, WITHOUT ROWID`,
  ],
  postgres: [
    `CREATE TABLE prompts (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      project integer NOT NULL REFERENCES projects (seq),
      id text NOT NULL,
      name text,
      created_at bigint NOT NULL,
      default_version integer NOT NULL,
      latest_version integer NOT NULL
    )`,
    'CREATE UNIQUE INDEX prompts_id ON prompts (project, id)',
    'CREATE INDEX prompts_order ON prompts (project, seq)',
    `CREATE TABLE prompt_versions (
      prompt_seq bigint NOT NULL REFERENCES prompts (seq) ON DELETE CASCADE,
      version integer NOT NULL,
      created_at bigint NOT NULL,
      body text NOT NULL,
      PRIMARY KEY (prompt_seq, version)
    )`,
  ],
}
