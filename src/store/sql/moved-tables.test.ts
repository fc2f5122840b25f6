import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrations } from './migrations/index.ts'
import { MOVED_TABLES, UNMOVED_TABLES } from './moved-tables.ts'

test('every table is moved with every column, and its key is unique', () => {
  using database = new DatabaseSync(':memory:')
  for (const step of migrations) for (const statement of step.sqlite) database.exec(statement)
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").all()
  assert.deepEqual(
    tables.map(({ name }) => name).filter((name) => !UNMOVED_TABLES.includes(String(name))),
    MOVED_TABLES.map(({ name }) => name).sort(),
  )
  for (const { name, columns, key } of MOVED_TABLES) {
    const found = database.prepare('SELECT name, pk FROM pragma_table_info(?)').all(name)
    assert.deepEqual(found.map((column) => column.name).sort(), [...columns].sort(), name)
    const primary = found.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
    assert.deepEqual(
      primary.map((column) => column.name),
      key,
      name,
    )
  }
})
