import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { storeContract } from '../../store.contract.ts'
import { type OpenStore, slowStore } from '../../store-fixtures.contract.ts'
import { createSqliteStore } from './sqlite-store.ts'

const SEED = 20_250_615

const openSqlite: OpenStore = async (clock) => {
  const directory = mkdtempSync(join(tmpdir(), 'antiphon-store-'))
  const path = join(directory, 'antiphon.db')
  const store = await createSqliteStore({ path, clock })
  const peer = await createSqliteStore({ path, clock })
  return {
    store,
    peer,
    heir: async () => peer,
    async usageIds(projectId) {
      using database = new DatabaseSync(path, { readOnly: true })
      const rows = database
        .prepare('SELECT usage.id FROM usage JOIN projects ON seq = project WHERE projects.id = ? ORDER BY 1')
        .all(projectId)
      return rows.map((row) => String(row.id))
    },
    async close() {
      await store.close()
      await peer.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

storeContract('sqlite', openSqlite)

storeContract('slow sqlite', async (clock) => {
  const opened = await openSqlite(clock)
  return { ...opened, store: slowStore(opened.store, SEED), peer: slowStore(opened.peer, SEED + 1) }
})
