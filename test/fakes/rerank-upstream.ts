/** A `POST /v1/rerank` of the far side: answers as it is scripted, and otherwise by counting words of the query. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { RerankScript } from '../../src/models/reranker.contract.ts'

export type RerankCall = {
  readonly body: {
    readonly model?: string
    readonly query: string
    readonly documents: readonly string[]
    readonly top_n: number
  }
  readonly authorization: string | undefined
}

export async function startRerankUpstream() {
  const calls: RerankCall[] = []
  let next: RerankScript | null = null
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString())
    calls.push({ body, authorization: request.headers.authorization })
    const script = next ?? { type: 'scores', scores: body.documents.map((text: string) => overlap(body.query, text)) }
    if (script.type === 'hangs') return
    if (script.type === 'cuts') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"results"', () => response.destroy())
      return
    }
    const [status, text] =
      script.type === 'raw' ? [script.status, script.body] : [200, resultsOf(script, body.documents)]
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/v1/rerank`,
    calls,
    /** Of every call from now on; null: by words. */
    script(script: RerankScript | null) {
      next = script
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function resultsOf(script: Exclude<RerankScript, { type: 'raw' | 'hangs' | 'cuts' }>, documents: readonly string[]) {
  const results = documents.map((_, index) => ({
    index,
    relevance_score: script.type === 'scores' ? (script.scores[index] ?? 0) : 0.5,
  }))
  const kept = script.type === 'scores' ? results : results.filter(({ index }) => !script.indexes.includes(index))
  return JSON.stringify({ id: 'r', results: kept, usage: { total_tokens: 7 } })
}

function overlap(query: string, text: string): number {
  const words = query.toLowerCase().split(/\W+/)
  return words.filter((word) => text.toLowerCase().includes(word)).length / words.length
}
