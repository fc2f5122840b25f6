/** Two servers on one PostgreSQL: what is attached at one is ingested by either, and found at both. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { NO_POSTGRES, openSchema, type TestSchema } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const FILES = 8

describe('vector stores of two replicas', { skip: NO_POSTGRES }, () => {
  let schema: TestSchema
  let one: TestServer
  let other: TestServer
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-files-'))
  before(async () => {
    schema = await openSchema()
    const config = `storage: { files: "${folder}" }`
    one = await startServer({ databaseUrl: schema.url, config })
    other = await startServer({ databaseUrl: schema.url, secretsOf: one.dataDir, upstream: one.upstream, config })
  })
  after(async () => {
    await other.close()
    await one.close()
    await schema.drop()
    rmSync(folder, { recursive: true })
  })
  const clientOf = ({ baseUrl: baseURL, apiKey }: TestServer) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })

  test('files attached at one are found at both as soon as they are complete, and nowhere once they are deleted', async () => {
    const [here, there] = [clientOf(one), clientOf(other)]
    const { id } = await here.vectorStores.create({ name: 'birds' })
    const files = await Promise.all(
      Array.from({ length: FILES }, (_, at) =>
        toFile(Buffer.from(`The heron number${at} nests in March.`), `${at}.txt`),
      ),
    )
    const batch = await here.vectorStores.fileBatches.uploadAndPoll(id, { files }, { pollIntervalMs: 50 })
    assert.deepEqual([batch.status, batch.file_counts.completed], ['completed', FILES])
    for (const client of [here, there]) {
      const found = await client.vectorStores.search(id, { query: 'heron', max_num_results: 50 })
      assert.equal(found.data.length, FILES)
    }
    const [hit] = (await there.vectorStores.search(id, { query: 'number3' })).data
    assert.equal(hit?.filename, '3.txt')
    await there.files.delete(hit?.file_id ?? '')
    assert.deepEqual((await here.vectorStores.search(id, { query: 'number3' })).data, [])
    await there.vectorStores.delete(id)
    await assert.rejects(here.vectorStores.search(id, { query: 'heron' }), /not found/)
    for (const deadline = Date.now() + 5_000; Date.now() < deadline; )
      if (Number((await schema.query('select count(*) as n from search_chunks'))[0]?.n) === 0) return
    assert.fail('chunks of a store that was deleted are left')
  })
})
