import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrations } from './migrations/index.ts'
import { countExpired, countExpiredFiles } from './prune-queries.ts'
import { queries } from './queries.ts'
import { query } from './query.ts'
import { sumUsage, usageOfResponse } from './usage-queries.ts'

function emptyDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  for (const step of migrations) for (const statement of step.sqlite) database.exec(statement)
  return database
}

test('a value is named in the text, and may be named twice', () => {
  assert.deepEqual(query('select * from t where a = :a and b in (:bC, :a)'), {
    sql: 'select * from t where a = ? and b in (?, ?)',
    names: ['a', 'bC', 'a'],
  })
})

test('the schema has every table and column that a query names, and every value is a placeholder', () => {
  using database = emptyDatabase()
  for (const [name, { sql, names }] of Object.entries({
    ...queries,
    countExpired,
    countExpiredFiles,
    sumUsage,
    usageOfResponse,
  })) {
    assert.doesNotThrow(() => database.prepare(sql), name)
    assert.equal(sql.split('?').length - 1, names.length, name)
  }
})

test('no two queries of the store have the same name: where records are spread, one would take the place of the other', () => {
  const folder = new URL('./', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('-queries.ts'))
  const written = sources.flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    return [...text.matchAll(/^ {2}(\w+): (?:query[<(]|\w+Page\.)/gm)].map(([, key]) => key)
  })
  assert.deepEqual(
    written.filter((name, at) => written.indexOf(name) !== at),
    [],
  )
  assert.deepEqual(
    Object.keys(queries).filter((name) => !written.includes(name)),
    [],
    'each of them was looked at',
  )
})
