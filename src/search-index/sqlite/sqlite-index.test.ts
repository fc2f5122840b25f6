import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../lib/clock.ts'
import { searchIndexContract } from '../search-index.contract.ts'
import { createSqliteIndex, TIDY_AFTER_MS } from './sqlite-index.ts'

const VECTOR_BYTES = 1_000_000

async function openIndex() {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-index-'))
  const index = createSqliteIndex({ directory, clock: systemClock, vectorBytes: VECTOR_BYTES })
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
  const again = createSqliteIndex({ directory, clock: systemClock, vectorBytes: VECTOR_BYTES })
  assert.equal((await again.read('vs_one', 'a', { from: 0, limit: 5 })).length, 1)
  await again.close()
  await close()
})

/** Two numbers of a vector tell its angle; the others are there to be read. */
const angled = (angle: number) => [Math.cos(angle), Math.sin(angle), ...Array(30).fill(0)]
const DOCUMENTS = 40

for (const [name, vectorBytes] of [
  ['all vectors in memory', VECTOR_BYTES],
  ['half of the vectors in memory', (DOCUMENTS / 2) * 32 * 4],
  ['no vector in memory', 0],
] as const) {
  test(`a search sees what was put, replaced and removed before it, with ${name}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'antiphon-index-'))
    const index = createSqliteIndex({ directory, clock: systemClock, vectorBytes })
    const at = (id: number, angle: number, model = 'm') =>
      index.put('vs_one', { ...DOCUMENT, id: `d${id}`, vectors: { model, vectors: [angled(angle)] } }, [
        { ...chunk, text: `text ${id}` },
      ])
    const nearest = async (angle: number, model = 'm') => {
      const query = { text: '', filter: null, limit: 1, ranking: { type: 'plain' } } as const
      const vector = { model, values: angled(angle) }
      const [hit] = await index.search({ ...query, storeIds: ['vs_one'], vector }, new AbortController().signal)
      return hit?.documentId
    }
    for (let id = 0; id < DOCUMENTS; id += 1) await at(id, id / 100)
    for (const id of [0, 7, 39]) assert.equal(await nearest(id / 100), `d${id}`)
    await at(7, 1.5)
    assert.equal(await nearest(1.5), 'd7')
    await index.remove('vs_one', 'd7')
    assert.equal(await nearest(1.5), 'd39')
    await index.setVectors('vs_one', 'd0', { model: 'm', vectors: [angled(1.2)] })
    assert.equal(await nearest(1.2), 'd0')
    await index.setVectors('vs_one', 'd1', { model: 'other', vectors: [angled(1.4)] })
    assert.equal(await nearest(1.4), 'd0')
    assert.equal(await nearest(0, 'other'), 'd1')
    await index.drop('vs_one')
    assert.equal(await nearest(0), undefined)
    await at(50, 0.3)
    assert.equal(await nearest(0), 'd50')
    await index.close()
    await rm(directory, { recursive: true })
  })
}
