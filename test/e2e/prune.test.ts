/** `antiphon prune` beside a running server: it deletes what has expired, and no request notices. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPrune } from '../../src/app/open-prune.ts'
import { openStore } from '../../src/app/open-store.ts'
import { record } from '../../src/store/store-fixtures.contract.ts'
import { send } from '../support/http.ts'
import { startServer } from '../support/server.ts'

const EXPIRED = 700

test('expired responses go in batches while the server answers, and what is in use stays', async () => {
  const server = await startServer()
  try {
    const { store } = await openStore(server.storage)
    const longAgo = Math.floor(Date.now() / 1000) - 86_400
    const project = store.forProject('proj_default')
    const writes = Array.from({ length: EXPIRED }, (_, at) =>
      project.finishResponse(record(`resp_${at}`, {}, longAgo), []),
    )
    await Promise.all(writes)
    await store.close()

    const create = (body: object) => send(server, 'POST', '/v1/responses', { model: 'demo', ...body })
    const first = await create({ input: 'My name is Ada.' })
    const config = {
      storage: server.storage,
      fileStorage: { type: 'directory', path: join(server.dataDir, 'files') },
      limits: { uploadTimeMs: 1_000 },
    } as const
    const admin = await openPrune(config, { olderMs: null })
    assert.equal((await admin.count()).responses, EXPIRED)
    const pruning = admin.prune()
    const replies = await Promise.all(Array.from({ length: 20 }, () => create({ input: 'Say hello.' })))
    assert.equal(await pruning, EXPIRED)
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
    assert.deepEqual(await admin.count(), { responses: 0, items: 0, bytes: 0, files: 0, fileBytes: 0 })
    await admin[Symbol.asyncDispose]()
    const next = await create({ input: 'What is my name?', previous_response_id: first.json.id })
    assert.match(String(next.json.output_text), /Ada/)
  } finally {
    await server.close()
  }
})
