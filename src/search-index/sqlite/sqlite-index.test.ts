import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../lib/clock.ts'
import { searchIndexContract } from '../search-index.contract.ts'
import { createSqliteIndex, TIDY_AFTER_MS } from './sqlite-index.ts'

async function openIndex() {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-index-'))
  const index = createSqliteIndex({ directory, clock: systemClock })
  return {
    index,
    directory,
    async close() {
      await index.close()
      await rm(directory, { recursive: true })
    },
  }
}

searchIndexContract('sqlite', openIndex)

const DOCUMENT = { id: 'a', fileId: 'f', filename: 'a.txt', attributes: {}, vectors: null }
const CANARY = 'zanzibarquartet'
const chunk = { text: `the ${CANARY} plays`, start: 0, end: 25, page: null }

async function bytesOf(directory: string): Promise<string> {
  const names = await readdir(directory)
  const files = await Promise.all(names.map((name) => readFile(join(directory, name), 'latin1')))
  return files.join('')
}

test('nothing of a deleted document is left on disk once the store has been tidied, nothing of a dropped store at all', async () => {
  const { index, directory, close } = await openIndex()
  await index.put('vs_one', DOCUMENT, [chunk])
  await index.put('vs_one', { ...DOCUMENT, id: 'b' }, [{ ...chunk, text: 'something else' }])
  assert.ok((await bytesOf(directory)).includes(CANARY))
  await index.remove('vs_one', 'a')
  await new Promise((resolve) => setTimeout(resolve, TIDY_AFTER_MS + 500))
  await index.setAttributes('vs_one', 'b', {})
  assert.ok(!(await bytesOf(directory)).includes(CANARY))
  await index.drop('vs_one')
  assert.deepEqual(await readdir(directory), [])
  await close()
})

test('an id that is no name of ours never becomes a path', async () => {
  const { index, close } = await openIndex()
  for (const id of ['../../etc/passwd', 'a/b', '', '.', 'vs one'])
    await assert.rejects(index.put(id, DOCUMENT, [chunk]), /letters, digits/)
  await close()
})

test('what was written is there when the index is opened again', async () => {
  const { index, directory, close } = await openIndex()
  await index.put('vs_one', DOCUMENT, [chunk])
  await index.close()
  const again = createSqliteIndex({ directory, clock: systemClock })
  assert.equal((await again.read('vs_one', 'a', { from: 0, limit: 5 })).length, 1)
  await again.close()
  await close()
})
