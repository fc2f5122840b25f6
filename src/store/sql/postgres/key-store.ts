/** The keys of all projects; they are looked up before a project is known. */
import type { KeyStore } from '../../store.ts'
import { queries } from '../queries.ts'
import { fromKeyRow, toKeyValues } from '../row-codec.ts'
import type { Database } from './database.ts'

export const createKeyStore = (database: Database): KeyStore => ({
  async insert(key) {
    await database.run(queries.insertKey, toKeyValues(key))
  },
  async find(id) {
    const row = await database.get(queries.findKey, { id })
    return row ? fromKeyRow(row) : null
  },
  list: async () => (await database.all(queries.listKeys, {})).map(fromKeyRow),
  revoke: async (id, at) => (await database.run(queries.revokeKey, { id, at })) > 0,
})
