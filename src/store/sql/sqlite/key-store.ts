/** The keys of all projects; they are looked up before a project is known. */
import type { KeyStore } from '../../store.ts'
import { queries } from '../queries.ts'
import { fromKeyRow, toKeyValues } from '../row-codec.ts'
import type { StoreParts } from './project-store.ts'

export const createKeyStore = ({ writer, reader, commits }: StoreParts): KeyStore => ({
  async insert(key) {
    await commits.write(() => writer.run(queries.insertKey, toKeyValues(key)))
  },
  async find(id) {
    const row = reader.get(queries.findKey, { id })
    return row ? fromKeyRow(row) : null
  },
  async list() {
    return reader.all(queries.listKeys, {}).map(fromKeyRow)
  },
  revoke: (id, at) => commits.write(() => writer.run(queries.revokeKey, { id, at }) > 0),
})
