/** A whole server with a model in its own process; `node-llama-cpp` must be installed beside the other packages. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { END, replyChain } from '../fakes/tiny-gguf.ts'
import { tinyModels } from '../support/llama.ts'
import { startServer, type TestServer } from '../support/server.ts'

const SCHEMA = {
  type: 'object',
  properties: { a: { enum: ['x', 'y'] } },
  required: ['a'],
  additionalProperties: false,
}

describe('a local model behind the server', () => {
  const files = tinyModels({
    talk: { chain: replyChain('<think>', 'Let me', '</think>', 'Good', ' day', '!', END) },
    embed: { chain: [], pooling: 'mean' },
  })
  let server: TestServer
  before(async () => {
    const provider = `local: { type: local, dir: "${files.dir}", context_size: 2048, threads: 1, gpu: "off", max_loaded: 2 }`
    server = await startServer({ providers: [provider] })
  })
  after(async () => {
    await server.close()
    files[Symbol.dispose]()
  })
  const send = (path: string, body?: object) => request(server, path, body)

  it('is listed with its provider before its name', async () => {
    const { data } = await read(send('/models'))
    const ids = data.map(({ id }: { id: string }) => id)
    assert.ok(ids.includes('local/talk'), ids.join(', '))
  })

  it('answers as JSON, with its thoughts apart and its tokens counted', async () => {
    const reply = await send('/responses', { model: 'local/talk', input: 'hello', temperature: 0 })
    const response = await read(reply)
    assert.equal(reply.status, 200, JSON.stringify(response))
    assert.deepEqual(
      response.output.map(({ type }: { type: string }) => type),
      ['reasoning', 'message'],
    )
    assert.equal(response.output[1].content[0].text, 'Good day!')
    assert.ok(response.usage.input_tokens > 5)
  })

  it('streams, and takes part in a conversation', async () => {
    const first = await read(send('/responses', { model: 'local/talk', input: 'hello', temperature: 0 }))
    const more = {
      model: 'local/talk',
      input: 'the word',
      previous_response_id: first.id,
      stream: true,
      temperature: 0,
    }
    const events = await (await send('/responses', more)).text()
    assert.match(events, /event: response\.output_text\.delta/)
    assert.match(events, /event: response\.completed/)
  })

  it('fills a schema', async () => {
    const format = { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true }
    const response = await read(send('/responses', { model: 'local/talk', input: 'hello', text: { format } }))
    assert.match(response.output.at(-1).content[0].text, /^\s*\{\s*"a":\s*"[xy]"\s*\}\s*$/)
  })

  it('makes embeddings', async () => {
    const reply = await send('/embeddings', { model: 'local/embed', input: ['hello', 'the word'] })
    const { data } = await read(reply)
    assert.equal(reply.status, 200)
    assert.deepEqual(
      data.map(({ embedding }: { embedding: unknown[] }) => embedding.length),
      [128, 128],
    )
  })

  it('is unknown when there is no such file', async () => {
    assert.equal((await send('/responses', { model: 'local/../talk', input: 'hello' })).status, 400)
  })
})

const request = (server: TestServer, path: string, body?: object): Promise<Response> =>
  fetch(`${server.baseUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })

const read = async (reply: Response | Promise<Response>) => JSON.parse(await (await reply).text())
