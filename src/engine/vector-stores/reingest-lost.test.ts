import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reingestLost } from './reingest-lost.ts'

const never = new AbortController().signal

/** `n` stores of the same documents; the index has those of which `has` is true, and cannot read the store `broken`. */
function catalogue(n: number, documents: readonly string[], has: (id: string) => boolean, broken?: string) {
  const ids = Array.from({ length: n }, (_, at) => `vs_${String(at).padStart(4, '0')}`)
  const behind = (all: readonly string[], after: string, limit: number) =>
    all.filter((id) => id > after).slice(0, limit)
  const requeued: string[] = []
  const setAside: string[] = []
  return {
    requeued,
    setAside,
    repairs: {
      async setAside(storeId: string) {
        setAside.push(storeId)
      },
    },
    queue: {
      stores: async (after: string, limit: number) =>
        behind(ids, after, limit).map((storeId) => ({ projectId: 'proj_a', storeId })),
      documents: async (_: string, after: string, limit: number) => behind(documents, after, limit),
      async requeue(lost: readonly string[]) {
        requeued.push(...lost)
        return lost.length
      },
    },
    index: {
      async missing(storeId: string, asked: readonly string[]) {
        if (storeId === broken) throw new Error('file is not a database')
        return asked.filter((id) => !has(id))
      },
    },
  }
}

test('every document of every store is held against the index, over all pages', async () => {
  const documents = Array.from({ length: 1_200 }, (_, at) => `vsd_${String(at).padStart(5, '0')}`)
  const lost = new Set([documents[0], documents[499], documents[500], documents[1_199]])
  const parts = catalogue(120, documents, (id) => !lost.has(id))
  let told = 0
  await reingestLost(parts, () => told++, never)
  assert.equal(told, 120)
  assert.deepEqual(parts.setAside, [], 'none of them is lost as a whole')
  assert.deepEqual(new Set(parts.requeued), lost)
  assert.equal(parts.requeued.length, 120 * lost.size)
})

test('a store that cannot be read is reported after all others were looked at', async () => {
  const parts = catalogue(3, ['vsd_1'], () => false, 'vs_0000')
  await assert.rejects(
    reingestLost(parts, () => {}, never),
    /not a database/,
  )
  assert.deepEqual(parts.requeued, ['vsd_1', 'vsd_1'])
  assert.deepEqual(parts.setAside, ['vs_0001', 'vs_0002'], 'of which nothing is there')
})

test('it ends when it is told to', async () => {
  await assert.rejects(
    reingestLost(
      catalogue(3, ['vsd_1'], () => false),
      () => {},
      AbortSignal.abort(new Error('stopping')),
    ),
    /stopping/,
  )
})
