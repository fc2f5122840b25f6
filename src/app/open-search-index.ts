/** Composition: the search index, which is where the store is, and what heals one that can lose a vector store by itself. */
import { join } from 'node:path'
import { CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { createIndexHealer, type IndexHealer } from '../engine/vector-stores/heal-index.ts'
import type { Clock } from '../lib/clock.ts'
import type { IndexRepairs, SearchIndex } from '../search-index/search-index.ts'
import { createSqliteIndex } from '../search-index/sqlite/sqlite-index.ts'
import type { PostgresStore } from '../store/sql/postgres/postgres-store.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

export type SearchIndexParts = {
  readonly store: Store
  /** Where the index is in PostgreSQL too: what is in one database is found by every server on it. */
  readonly replicated: PostgresStore | null
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** There are files to be ingested. */
  readonly wake: () => void
  /** Closes what they hold. */
  readonly opened: AsyncDisposableStack
}

export type OpenedIndex = {
  readonly index: SearchIndex
  /** Null: a database keeps what it was given. */
  readonly repairs: IndexRepairs | null
  readonly healer: IndexHealer | null
}

const DIRECTORY = 'search-index'

export async function openSearchIndex(config: ResolvedConfig, parts: SearchIndexParts): Promise<OpenedIndex> {
  if (parts.replicated === null) return openInFiles(config, parts)
  const index = await openInDatabase(config, parts.replicated)
  parts.opened.defer(() => index.close())
  return { index, repairs: null, healer: null }
}

function openInFiles({ storage, fileSearch }: ResolvedConfig, parts: SearchIndexParts): OpenedIndex {
  const { store, clock, telemetry, wake, opened } = parts
  const closing = new AbortController()
  const onDamaged = (storeId: string) => {
    const error = new Error(`the search index of ${storeId} is damaged, and is rebuilt from its files`)
    telemetry.failed({ requestId: null, where: 'search-index', error })
    // What fails now is done with the next search of the store, or the next start.
    healer.lost(storeId, closing.signal).catch(() => {})
  }
  const directory = join(storage.dataDir, DIRECTORY)
  const index = createSqliteIndex({ directory, clock, vectorBytes: fileSearch.vectorBytes, onDamaged })
  opened.defer(() => index.close())
  opened.defer(() => closing.abort(new Error('the server is closing')))
  const healer = createIndexHealer({ store, index, wake })
  return { index, repairs: index, healer }
}

async function openInDatabase({ fileSearch }: ResolvedConfig, { database }: PostgresStore): Promise<SearchIndex> {
  const { createPostgresIndex } = await import('../search-index/postgres/postgres-index.ts')
  return createPostgresIndex({ database, withVectors: fileSearch.embeddingModel !== null }).catch((error) => {
    throw error instanceof Error && error.name === 'NoVectors'
      ? new CommandError(error.message, { cause: error })
      : error
  })
}
