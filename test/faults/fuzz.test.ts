/** Requests that are almost right: none is answered with a 5xx, every refusal has the one form, and the server lives on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { request } from 'undici'
import { CreateChatCompletionSchema } from '../../src/protocol/chat/request.ts'
import { CreateEmbeddingSchema } from '../../src/protocol/embeddings.ts'
import { CountInputTokensSchema, CreateResponseSchema } from '../../src/protocol/request.ts'
import { arbitraryOf } from '../oracle/arbitrary-of-schema.ts'
import { framesOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'
import { hostileText } from './hostile-texts.ts'
import { type Json, mutated } from './mutate-json.ts'
import { announceSeed, isFull, withinMs } from './seed.ts'

const RUNS = isFull ? 10_000 : 300
const AT_ONCE = 4
const HUNG_MS = withinMs(10_000)
/** Of the refusals of a body that is JSON. */
const MIN_SHARE_WITH_PARAM = 0.95

let server: TestServer
before(async () => {
  server = await startServer({ config: 'limits: { requests_per_minute: 0 }' })
})
after(async () => {
  await server.close()
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

const isFields = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TOOL: Json = { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: false }
const GOOD: readonly { readonly [key: string]: Json }[] = [
  { input: 'Say hello.' },
  { input: [{ role: 'user', content: [{ type: 'input_text', text: 'a' }] }], instructions: 'be brief', stream: true },
  {
    input: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,aGk=', detail: 'low' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b', annotations: [] }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'done' },
      { role: 'user', content: 'and now?' },
    ],
    tools: [TOOL, { type: 'custom', name: 'c', format: { type: 'text' } }],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    stream: true,
    stream_options: { include_obfuscation: false },
  },
  {
    input: [
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 's' }] },
      { role: 'user', content: 'x' },
    ],
    text: {
      format: {
        type: 'json_schema',
        name: 'n',
        strict: true,
        schema: {
          type: 'object',
          properties: { a: { type: 'integer' } },
          required: ['a'],
          additionalProperties: false,
        },
      },
      verbosity: 'low',
    },
    reasoning: { effort: 'low' },
    metadata: { a: 'b' },
    temperature: 0.5,
    max_output_tokens: 100,
    top_logprobs: 2,
    include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    store: false,
  },
]

const CALL: Json = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
const GOOD_CHATS: readonly { readonly [key: string]: Json }[] = [
  { messages: [{ role: 'user', content: 'Say hello.' }] },
  {
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=', detail: 'low' } },
        ],
      },
      { role: 'assistant', content: 'b', reasoning_content: 'why', tool_calls: [CALL] },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'done' }] },
      { role: 'user', content: 'and now?' },
    ],
    tools: [
      { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' } } },
      { type: 'custom', custom: { name: 'c', format: { type: 'text' } } },
    ],
    tool_choice: 'auto',
    stream: true,
    stream_options: { include_usage: true },
  },
  {
    messages: [{ role: 'user', content: 'x' }],
    response_format: {
      type: 'json_schema',
      json_schema: {
        name: 'n',
        strict: true,
        schema: {
          type: 'object',
          properties: { a: { type: 'integer' } },
          required: ['a'],
          additionalProperties: false,
        },
      },
    },
    logprobs: true,
    top_logprobs: 2,
    max_tokens: 100,
    reasoning_effort: 'low',
  },
]
const GOOD_EMBEDDINGS: readonly { readonly [key: string]: Json }[] = [
  { input: 'a' },
  { input: ['a', 'b'], encoding_format: 'base64', dimensions: 4 },
  { input: [[1, 2], [3]] },
]

/** A request that works, with up to two fields as the schema allows them; the model exists, for most. */
const requestsBy = (schema: object, good = GOOD, demo = 'demo'): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.constantFrom(...good),
      arbitraryOf(schema),
      fc.array(fc.nat(), { maxLength: 2 }),
      fc.constantFrom(demo, UPSTREAM_MODEL, UPSTREAM_MODEL, UPSTREAM_MODEL, 'nonsense'),
    )
    .map(([sent, body, picks, model]) => {
      assert.ok(isFields(body))
      const fields = Object.entries(body)
      const picked = picks.flatMap((pick) => fields.slice(pick % (fields.length + 1)).slice(0, 1))
      return { ...sent, ...Object.fromEntries(picked), model }
    })

type Shot = { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string; readonly body: Buffer | null }

const post = (path: string, body: Buffer): Shot => ({ method: 'POST', path, body })
const odd = hostileText.map((text) => encodeURIComponent(text.slice(0, 100).toWellFormed()))
const shots: fc.Arbitrary<Shot> = fc.oneof(
  {
    weight: 8,
    arbitrary: mutated(requestsBy(CreateResponseSchema)).map((body) => post('/v1/responses', body)),
  },
  {
    weight: 4,
    arbitrary: mutated(requestsBy(CreateChatCompletionSchema, GOOD_CHATS)).map((body) =>
      post('/v1/chat/completions', body),
    ),
  },
  {
    weight: 1,
    arbitrary: mutated(requestsBy(CreateEmbeddingSchema, GOOD_EMBEDDINGS, 'demo-embedding')).map((body) =>
      post('/v1/embeddings', body),
    ),
  },
  {
    weight: 1,
    arbitrary: mutated(requestsBy(CountInputTokensSchema)).map((body) => post('/v1/responses/input_tokens', body)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('GET' as const, 'DELETE' as const),
        odd,
        fc.constantFrom('', '/input_items', '/cancel', '/nonsense'),
        fc.constantFrom('', '?limit=', '?order=', '?after=', '?include[]=', '?stream=', '?starting_after='),
        odd,
      )
      .map(([method, id, tail, field, value]) => ({
        method,
        path: `/v1/responses/${id}${tail}${field}${field && value}`,
        body: null,
      })),
  },
)

type Seen = { statuses: Map<number, number>; refusals: number; withParam: number; examples: string[] }

test('mutated requests are answered or refused, never failed', async (t) => {
  const seed = announceSeed(t)
  const samples = fc.sample(shots, { numRuns: RUNS, seed })
  const seen: Seen = { statuses: new Map(), refusals: 0, withParam: 0, examples: [] }
  const problems: string[] = []
  let next = 0
  const work = async () => {
    for (let shot = samples[next++]; shot; shot = samples[next++]) {
      const what = `${shot.method} ${shot.path} ${shot.body?.toString('utf8').slice(0, 2_000) ?? ''}`
      await fire(shot, seen).catch((error: unknown) => problems.push(`${error}\n  ${what}`))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  t.diagnostic(`statuses ${JSON.stringify([...seen.statuses])}; ${seen.withParam} of ${seen.refusals} name a param`)
  assert.equal(problems.length, 0, problems.slice(0, 5).join('\n'))
  assert.ok(seen.withParam >= seen.refusals * MIN_SHARE_WITH_PARAM, seen.examples.slice(0, 10).join('\n'))
  const refused = server.upstream.requests.flatMap((request) => request.refused ?? [])
  const reasons = new Set(refused.map(({ message }) => message.replace(/'[^']*'/g, "'...'")))
  t.diagnostic(
    `a strict upstream refused ${refused.length} of ${server.upstream.requests.length}: ${[...reasons].join(' | ')}`,
  )
  assert.equal((await send(server, 'GET', '/v1/models')).status, 200)
})

async function fire({ method, path, body }: Shot, seen: Seen): Promise<void> {
  const reply = await request(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${server.apiKey}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body }),
    signal: AbortSignal.timeout(HUNG_MS),
  })
  const text = await reply.body.text()
  const status = reply.statusCode
  seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1)
  assert.match(String(reply.headers['x-request-id']), /^req_/)
  assert.ok(status < 500, `${status} ${text.slice(0, 500)}`)
  if (status < 400) {
    if (String(reply.headers['content-type']).startsWith('text/event-stream')) {
      assert.equal(framesOf(text).at(-1)?.data, '[DONE]')
      // A run may fail only by what the upstream had against the request.
      assert.doesNotMatch(text, /^event: error$/m)
      assert.doesNotMatch(text, /The server had an error/)
    }
    return
  }
  const { error } = JSON.parse(text)
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
  if (status !== 400 || body === null || !isObjectText(body)) return
  seen.refusals += 1
  if (error.param !== null) seen.withParam += 1
  else seen.examples.push(`${error.message} ${body.toString('utf8').slice(0, 300)}`)
}

function isObjectText(body: Buffer): boolean {
  try {
    return isFields(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)))
  } catch {
    return false
  }
}
