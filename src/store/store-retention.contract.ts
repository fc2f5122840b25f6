/** Laws of deleting and expiring. */
import assert from 'node:assert/strict'
import type { ProjectStore, Store } from './store.ts'
import { type Law, record, running, START_SECONDS, usageRow } from './store-fixtures.contract.ts'

const LIMITS = { maxResponses: 1000, maxBytes: 10_000_000 }
const LATER = START_SECONDS + 1000

/** A chain in which each response expires at its own time. */
async function writeChain(project: ProjectStore, prefix: string, expiries: readonly (number | null)[]): Promise<void> {
  for (const [index, expiresAt] of expiries.entries()) {
    const previous = index === 0 ? null : `${prefix}_${index - 1}`
    await project.finishResponse(record(`${prefix}_${index}`, { previous_response_id: previous }, expiresAt), [])
  }
}

async function purgeAll(store: Store, now: number, limit: number): Promise<number[]> {
  const batches: number[] = []
  for (;;) {
    const deleted = await store.purgeExpired(now, limit)
    batches.push(deleted)
    if (deleted < limit) return batches
  }
}

export function retentionContract(law: Law): void {
  deleting(law)
  expiring(law)
  purging(law)
  pruning(law)
}

function deleting(law: Law): void {
  law('a deleted response is gone with its items, and deleting it again says so', async ({ project, usageIds }) => {
    await project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1')])
    assert.equal(await project.deleteResponse('resp_1'), true)
    assert.equal(await project.getResponse('resp_1'), null)
    assert.equal(await project.readChain('resp_1', LIMITS), null)
    assert.equal((await project.getItems(['msg_in_resp_1', 'msg_out_resp_1'])).size, 0)
    assert.equal(await project.deleteResponse('resp_1'), false)
    assert.equal(await project.deleteResponse('resp_never'), false)
    assert.deepEqual(await usageIds('proj_a'), ['use_1'], 'the ledger outlives the response')
  })

  law('a response that is deleted while it runs stays deleted when it ends', async ({ project, usageIds, heir }) => {
    await project.startResponse(running('resp_1'))
    assert.equal(await project.deleteResponse('resp_1'), true)
    assert.equal(await (await heir()).failOrphans({ code: 'server_error', message: 'stopped' }), 0)
    await project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1')])
    assert.equal(await project.getResponse('resp_1'), null)
    assert.equal(await project.readChain('resp_1', LIMITS), null)
    assert.equal((await project.getItems(['msg_in_resp_1'])).size, 0)
    assert.equal(await project.deleteResponse('resp_1'), false)
    assert.deepEqual(await usageIds('proj_a'), ['use_1'])
  })
}

function expiring(law: Law): void {
  law(
    'an expired response is unknown by its id, one without an expiry never is (req 74)',
    async ({ project, clock }) => {
      await project.finishResponse(record('resp_short', {}, START_SECONDS + 10), [])
      await project.finishResponse(record('resp_kept'), [])
      clock.advance(9)
      assert.equal((await project.getResponse('resp_short'))?.id, 'resp_short')
      clock.advance(1)
      assert.equal(await project.getResponse('resp_short'), null)
      assert.equal(await project.readChain('resp_short', LIMITS), null)
      assert.equal(await project.deleteResponse('resp_short'), false)
      clock.advance(100 * 365 * 86_400)
      assert.equal((await project.getResponse('resp_kept'))?.id, 'resp_kept')
    },
  )

  law('the expiry given at the end replaces the one given at the start', async ({ project, clock }) => {
    await project.startResponse(running('resp_1', 'in_progress', START_SECONDS + 10))
    await project.finishResponse(record('resp_1', {}, START_SECONDS + 100), [])
    clock.advance(50)
    assert.equal((await project.getResponse('resp_1'))?.id, 'resp_1')
  })

  law('a chain lives on when responses in it expire, before and after a purge', async ({ store, project, clock }) => {
    await writeChain(project, 'resp', [START_SECONDS + 10, START_SECONDS + 20, null])
    clock.advance(1000)
    assert.equal(await project.getResponse('resp_0'), null)
    const before = await project.readChain('resp_2', LIMITS)
    assert.equal(before?.type, 'chain')
    assert.equal(before.links.length, 3)
    assert.deepEqual(await purgeAll(store, LATER, 10), [0])
    assert.deepEqual(await project.readChain('resp_2', LIMITS), before)
  })
}

function purging(law: Law): void {
  law('a purge deletes what expired, in bounded batches, and nothing else', async ({ store, project }) => {
    for (let index = 0; index < 7; index++) {
      await project.finishResponse(record(`resp_${index}`, {}, START_SECONDS + index), [])
    }
    await store.forProject('proj_b').finishResponse(record('resp_b', {}, START_SECONDS), [])
    await project.finishResponse(record('resp_late', {}, LATER), [])
    await project.finishResponse(record('resp_kept'), [])
    assert.deepEqual(await purgeAll(store, LATER, 3), [3, 3, 2])
    assert.equal((await project.getResponse('resp_late'))?.id, 'resp_late')
    assert.equal((await project.getResponse('resp_kept'))?.id, 'resp_kept')
    assert.equal(await project.getResponse('resp_0'), null)
  })

  law('what was purged is gone: its id can be used again', async ({ store, project }) => {
    await project.startResponse(running('resp_1', 'in_progress', START_SECONDS - 1))
    await assert.rejects(project.startResponse(running('resp_1')))
    assert.equal(await store.purgeExpired(START_SECONDS, 10), 1)
    await project.startResponse(running('resp_1'))
    assert.equal((await project.getResponse('resp_1'))?.status, 'in_progress')
  })

  law('a whole expired chain is purged, however its expiries are ordered', async ({ store, project }) => {
    await writeChain(project, 'same', Array(9).fill(START_SECONDS))
    await writeChain(
      project,
      'rising',
      [1, 2, 3, 4, 5].map((offset) => START_SECONDS + offset),
    )
    await writeChain(
      project,
      'falling',
      [5, 4, 3, 2, 1].map((offset) => START_SECONDS + offset),
    )
    const batches = await purgeAll(store, LATER, 4)
    assert.deepEqual(batches, [4, 4, 4, 4, 3])
  })

  law('an expired response goes once the last child on it is gone', async ({ store, project }) => {
    await writeChain(project, 'resp', [START_SECONDS, START_SECONDS + 1, null])
    await project.finishResponse(record('resp_fork', { previous_response_id: 'resp_1' }, LATER + 5), [])
    assert.deepEqual(await purgeAll(store, LATER, 10), [0])
    await project.deleteResponse('resp_2')
    assert.deepEqual(await purgeAll(store, LATER, 10), [0])
    assert.deepEqual(await purgeAll(store, LATER + 10, 10), [3])
  })

  law('the mark of a response that was deleted while it ran is purged in the end', async ({ store, project }) => {
    await project.startResponse(running('resp_1'))
    await project.deleteResponse('resp_1')
    assert.equal(await store.purgeExpired(START_SECONDS + 3600, 10), 0)
    assert.equal(await store.purgeExpired(START_SECONDS + 7 * 86_400, 10), 1)
  })
}

function pruning(law: Law): void {
  law('what is counted as expired is what a purge then deletes', async ({ store, project }) => {
    await writeChain(project, 'gone', [START_SECONDS, START_SECONDS + 1])
    await writeChain(project, 'stood', [START_SECONDS, null])
    await project.finishResponse(record('resp_late', {}, LATER), [])
    await project.startResponse(running('resp_running'))
    const counted = await store.countExpired(LATER, null)
    assert.deepEqual([counted.responses, counted.items], [2, 4])
    assert.ok(counted.bytes > 500)
    assert.deepEqual(await purgeAll(store, LATER, 10), [2])
    assert.deepEqual(await store.countExpired(LATER, null), {
      ...{ responses: 0, items: 0, bytes: 0 },
      ...{ files: 0, fileBytes: 0 },
    })
  })

  law(
    'what is older than a time expires in steps, whatever its own expiry, and nothing newer or running',
    async (it) => {
      const { store, project } = it
      const made = (id: string, created_at: number) => project.finishResponse(record(id, { created_at }, null), [])
      for (let index = 0; index < 7; index++) await made(`resp_old_${index}`, START_SECONDS - 100)
      await made('resp_new', START_SECONDS + 100)
      await project.startResponse(running('resp_running'))
      assert.equal((await store.countExpired(0, START_SECONDS + 50)).responses, 7)
      let [after, steps]: [number | null, number] = [0, 0]
      for (; after !== null; steps++) {
        after = await store.expireOlder(START_SECONDS + 50, START_SECONDS - 1, { after, limit: 3 })
      }
      assert.ok(steps >= 3)
      assert.deepEqual(await purgeAll(store, START_SECONDS, 100), [7])
      assert.equal((await project.getResponse('resp_new'))?.id, 'resp_new')
      assert.equal((await project.getResponse('resp_running'))?.status, 'in_progress')
    },
  )
}
