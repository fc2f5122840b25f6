/** kill -9 while files are ingested: a file is found whole or not at all, once, and in the end all of them are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { noVectorsHere, openSchema } from '../support/postgres.ts'
import { createCrashRunner } from './crash-runner.ts'
import { isFull } from './seed.ts'

const KILLS = isFull ? 40 : 4
const FILES_PER_ROUND = 6
const CHUNK_WORDS = 55
const textOf = (name: string) =>
  Array.from({ length: 12 }, (_, at) => `mark${name} part${at} ${'lorem ipsum '.repeat(CHUNK_WORDS)}`).join('\n\n')

test(`files that a server died over are ingested whole and once (${KILLS} kills)`, {
  timeout: isFull ? 900_000 : 220_000,
  skip: await noVectorsHere(),
}, async () => {
  const schema = process.env.ANTIPHON_TEST_STORE === 'postgres' ? await openSchema() : null
  const env: Record<string, string> = schema === null ? {} : { ANTIPHON_STORAGE__DATABASE_URL: schema.url }
  const runner = createCrashRunner('tools: { file_search: { embedding_model: demo-embedding } }\n')
  const attached: { readonly id: string; readonly name: string }[] = []
  const chunksOf = new Map<string, number>()
  let storeId = ''
  try {
    for (let round = 0; round <= KILLS; round++) {
      const server = await runner.start(env)
      const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.apiKey, maxRetries: 0 })
      if (storeId === '') storeId = (await client.vectorStores.create({ name: 'crash' })).id
      for (const { name, id } of attached) await assertWhole(client, { name, id })
      if (round === KILLS) {
        await allDone(client)
        for (const { name, id } of attached) assert.ok(await assertWhole(client, { name, id }), name)
        await server.kill()
        break
      }
      const files = await Promise.all(
        Array.from({ length: FILES_PER_ROUND }, async (_, at) => {
          const name = `r${round}f${at}`
          const file = await toFile(Buffer.from(textOf(name)), `${name}.txt`)
          return { name, id: (await client.files.create({ file, purpose: 'assistants' })).id }
        }),
      )
      await client.vectorStores.fileBatches.create(storeId, {
        file_ids: files.map(({ id }) => id),
        chunking_strategy: { type: 'static', static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } },
      })
      attached.push(...files)
      await new Promise((resolve) => setTimeout(resolve, (round * 97) % 400))
      await server.kill()
    }
  } finally {
    runner.dispose()
    await schema?.drop()
  }

  async function allDone(client: OpenAI): Promise<void> {
    for (;;) {
      const { status, file_counts } = await client.vectorStores.retrieve(storeId)
      const failed = await client.vectorStores.files.list(storeId, { filter: 'failed' })
      assert.deepEqual([file_counts.failed, failed.data.map(({ last_error }) => last_error)], [0, []])
      if (status === 'completed') return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Answers whether it is there; then all of it is, once, and as it was before. */
  async function assertWhole(
    client: OpenAI,
    { name, id }: { readonly name: string; readonly id: string },
  ): Promise<boolean> {
    const before = await client.vectorStores.files.retrieve(id, { vector_store_id: storeId })
    const found = await client.vectorStores.search(storeId, {
      query: `mark${name}`,
      max_num_results: 50,
      ranking_options: { hybrid_search: { embedding_weight: 0, text_weight: 1 } } as never,
    })
    const own = found.data.filter(({ file_id }) => file_id === id)
    const after = await client.vectorStores.files.retrieve(id, { vector_store_id: storeId })
    if (before.status !== 'completed' && own.length === 0) return false
    assert.equal(after.status, 'completed', 'what is found is complete')
    const texts = own.map(({ content }) => content[0]?.text ?? '')
    assert.equal(new Set(texts).size, texts.length, 'no chunk twice')
    assert.equal(texts.length, 12, 'every chunk that has the mark')
    assert.equal(chunksOf.get(id) ?? after.usage_bytes, after.usage_bytes)
    chunksOf.set(id, after.usage_bytes)
    const content: string[] = []
    for await (const part of client.vectorStores.files.content(id, { vector_store_id: storeId }))
      content.push(part.text ?? '')
    assert.equal(content.join(''), textOf(name))
    return true
  }
})
