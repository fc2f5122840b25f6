import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRerankUpstream } from '../../../test/fakes/rerank-upstream.ts'
import { systemClock } from '../../lib/clock.ts'
import { createUpstreamAgent } from '../../lib/upstream-http.ts'
import { rerankerContract } from '../reranker.contract.ts'
import { createHttpReranker } from './http-reranker.ts'

const TIMEOUT_MS = 400
const CLOCKS = { connectMs: TIMEOUT_MS, firstByteMs: TIMEOUT_MS, idleMs: TIMEOUT_MS, wholeMs: TIMEOUT_MS }

async function open(model: string | null = 'm') {
  const upstream = await startRerankUpstream()
  const dispatcher = createUpstreamAgent(CLOCKS)
  const options = { url: upstream.url, apiKey: 'sk-of-the-test-reranker', model }
  return {
    ...upstream,
    reranker: createHttpReranker({ ...options, clock: systemClock, clocks: CLOCKS, dispatcher }),
    async close() {
      await dispatcher.destroy()
      await upstream.close()
    },
  }
}

rerankerContract('http', open)

test('the endpoint gets the query, all texts, how many it may rank, the model and the key', async () => {
  for (const model of ['m', null]) {
    const { reranker, calls, close } = await open(model)
    const signal = new AbortController().signal
    await reranker.rerank({ query: 'heron', documents: ['a heron', 'an auk'] }, { signal })
    assert.deepEqual(calls, [
      {
        body: {
          ...(model !== null && { model }),
          ...{ query: 'heron', documents: ['a heron', 'an auk'], top_n: 2, return_documents: false },
        },
        authorization: 'Bearer sk-of-the-test-reranker',
      },
    ])
    await close()
  }
})
