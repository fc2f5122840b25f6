/** Projects with a retention of their own: what one that keeps nothing can do, what it refuses, and what is on disk. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { createLog } from '../../src/telemetry/log.ts'
import { CANARY_NAMES, type CanaryName, findCanaries, makeCanaries } from '../load/canaries.ts'
import { fullBody } from '../load/canary-requests.ts'
import { openExchange } from '../load/exchange.ts'
import { type Reply, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'
import { connectSocket } from '../support/socket-client.ts'

const KEY = 'sk-of-the-clinic'
const RESEARCH_KEY = 'sk-of-research'
const CONFIG = `
projects:
  clinic: { zero_retention: true }
  research: { retention: 7d }
keys:
  - { key_alias: clinic, key: ${KEY}, project: clinic }
  - { key_alias: research, key: ${RESEARCH_KEY}, project: research }
`
type Error = { readonly message: string; readonly param: string | null; readonly code: string | null }

let server: TestServer
let dataDir: string
let stopped = false
const logLines: string[] = []
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'antiphon-zero-'))
  const write = (line: string) => void logLines.push(line)
  const log = createLog({ level: 'debug', format: 'json', colour: false, secrets: [], write })
  server = await startServer({ config: CONFIG, env: { ANTIPHON_DATA_DIR: dataDir }, telemetry: log })
})
after(async () => {
  if (!stopped) await server.close()
  await rm(dataDir, { recursive: true })
})

const clinic = () => ({ url: server.url, apiKey: KEY })
const post = (path: string, body: object, headers: Record<string, string> = {}, key = KEY) =>
  send(server, 'POST', path, body, { key, headers })
const create = (body: object, headers: Record<string, string> = {}) =>
  post('/v1/responses', { model: 'demo', ...body }, headers)
const errorOf = ({ json }: Reply) => json.error as Error
const refusal = (reply: Reply) => [reply.status, errorOf(reply).param, errorOf(reply).code]

test('store: true counts as false, is echoed as false and said to be, and nothing can be read back', async () => {
  for (const store of [true, false, null, undefined]) {
    const { status, json, headers } = await create({ input: 'Say hello.', store })
    assert.deepEqual([status, json.store, json.status], [200, false, 'completed'])
    const warned = String(headers['x-antiphon-warnings'] ?? '')
    assert.equal(/^store: .*zero data retention/.test(warned), store === true, warned)
    assert.equal((await send(server, 'GET', `/v1/responses/${json.id}`, undefined, { key: KEY })).status, 404)
  }
})

test('what works from storage alone is refused by its field, with the code agents recover on', async () => {
  const { json: mine } = await create({ input: 'Say hello.' })
  const { json: stored } = await post('/v1/responses', { model: 'demo', input: 'x' }, {}, server.apiKey)
  for (const previous_response_id of [mine.id, stored.id, 'resp_never']) {
    for (const path of ['/v1/responses', '/v1/responses/compact', '/v1/responses/input_tokens']) {
      const reply = await post(path, { model: 'demo', input: 'x', previous_response_id })
      assert.deepEqual(refusal(reply), [400, 'previous_response_id', 'unsupported_parameter'], path)
      assert.match(errorOf(reply).message, /^Previous response cannot be used .* due to Zero Data Retention\./)
    }
  }
  for (const conversation of ['conv_x', { id: 'conv_x' }]) {
    assert.deepEqual(refusal(await create({ input: 'x', conversation })), [
      400,
      'conversation',
      'unsupported_parameter',
    ])
  }
  assert.deepEqual(refusal(await create({ input: 'x', background: true })).slice(0, 2), [400, 'background'])
  const reference = await create({ input: [{ type: 'item_reference', id: 'msg_x' }] })
  assert.deepEqual([reference.status, errorOf(reference).param], [404, 'input'])
  assert.match(errorOf(reference).message, /Items are not persisted for Zero Data Retention organizations/)
  for (const [path, body] of [
    ['/v1/conversations', { metadata: { a: 'b' } }],
    ['/v1/conversations/conv_x', { metadata: { a: 'b' } }],
    ['/v1/conversations/conv_x/items', { items: [{ role: 'user', content: 'x' }] }],
    ['/v1/prompts', { name: 'a', instructions: 'x' }],
    ['/v1/prompts/pmpt_x', { instructions: 'x' }],
  ] as const) {
    assert.deepEqual(refusal(await post(path, body)), [400, null, 'unsupported_endpoint'], path)
  }
})

test('a project without settings, and the default one, store as ever', async () => {
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
  const first = await client.responses.create({ model: 'demo', input: 'My name is Ada.' })
  const next = await client.responses.create({
    model: 'demo',
    input: 'What is my name?',
    previous_response_id: first.id,
  })
  assert.match(next.output_text, /Ada/)
})

test('encrypted reasoning and compacted windows carry the state that the project does not keep (req 64)', async () => {
  const include = ['reasoning.encrypted_content']
  const said = { role: 'user', content: '[think] My name is Ada.' }
  const question = { role: 'user', content: 'What is my name?' }
  const first = await create({ input: [said], include })
  const output = first.json.output as { type: string; encrypted_content?: string }[]
  assert.ok(output.find(({ type }) => type === 'reasoning')?.encrypted_content)
  const second = await create({ input: [said, ...output, question], include })
  assert.match(String(second.json.output_text), /Ada/)
  const window = await post('/v1/responses/compact', { model: 'demo', input: [said, ...output] })
  const third = await create({ input: [...(window.json.output as object[]), question] })
  assert.match(String(third.json.output_text), /Ada/)
})

test('a socket continues from what it remembers itself, and loses it when it closes (req 112)', async () => {
  const socket = await connectSocket(clinic())
  const first = await socket.end({ model: 'demo', input: 'My name is Ada.' })
  const previous_response_id = first.response?.id
  const second = await socket.end({ model: 'demo', input: 'What is my name?', previous_response_id })
  assert.match(second.response?.output_text ?? '', /Ada/)
  await socket.close()
  const other = await connectSocket(clinic())
  const lost = await other.end({ model: 'demo', input: 'What is my name?', previous_response_id })
  assert.deepEqual([lost.status, lost.error?.code], [400, 'previous_response_not_found'])
  await other.close()
})

test('an idempotency key still makes a request run once, and its reply is not kept (req 191)', async () => {
  const headers = { 'idempotency-key': 'once of the clinic' }
  server.upstream.push({ status: 400 })
  const body = { model: UPSTREAM_MODEL, input: 'Hi' }
  assert.equal((await create(body, headers)).status, 400)
  assert.equal((await create(body, headers)).status, 200, 'what failed may run again')
  const calls = server.upstream.requests.length
  for (const again of [body, { ...body, input: 'Ho' }]) {
    const reply = await create(again, headers)
    assert.deepEqual(refusal(reply), [409, 'Idempotency-Key', 'idempotency_reply_not_kept'])
    assert.equal(reply.headers['x-should-retry'], 'false')
  }
  const counted = { 'idempotency-key': 'count of the clinic' }
  assert.equal((await post('/v1/responses/input_tokens', { model: 'demo', input: 'Hi' }, counted)).status, 200)
  assert.equal((await post('/v1/responses/input_tokens', { model: 'demo', input: 'Hi' }, counted)).status, 409)
  assert.equal(server.upstream.requests.length, calls)
})

test('a project may keep its responses for a time of its own (req 74)', async () => {
  const { json } = await post('/v1/responses', { model: 'demo', input: 'x' }, {}, RESEARCH_KEY)
  using database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  const row = database
    .prepare('SELECT expires_at - created_at AS kept FROM responses WHERE id = ?')
    .get(String(json.id))
  assert.ok(Math.abs(Number(row?.kept) - 7 * 86_400) <= 60, String(row?.kept))
})

const canaries = makeCanaries()
const CONTROL = 'control-of-another-project'

/** A model's answer in which everything is a canary. */
function answer(): string {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  const reasoning_details = [{ type: 'reasoning.encrypted', data: canaries['sealed reasoning'], id: 'r1', index: 0 }]
  const thought = { role: 'assistant', reasoning_content: canaries.prompt, reasoning_details }
  return `${chunk(thought)}${chunk({ content: canaries['model answer'] })}${chunk({}, 'stop')}data: [DONE]\n\n`
}

/** Everything a client of the project can say, to success, to refusal and to failure. */
async function sayEverything(): Promise<number[]> {
  const statuses: number[] = []
  const said = async (reply: Promise<Reply>) => void statuses.push((await reply).status)
  for (const model of ['demo', UPSTREAM_MODEL]) {
    const full = fullBody(canaries, model)
    const { prompt_cache_key, ...counted } = full
    for (const fields of [{}, { store: true }, { stream: true }, { store: true, stream: true }]) {
      if (model !== 'demo') server.upstream.push({ wire: answer() })
      await said(create({ ...full, ...fields }, { 'idempotency-key': `${canaries.user} ${statuses.length}` }))
    }
    if (model !== 'demo') server.upstream.push({ status: 500, wire: canaries.prompt }, { wire: answer() })
    await said(create(full))
    await said(create({ ...full, previous_response_id: canaries['previous id'] }))
    await said(create({ ...full, conversation: canaries['previous id'] }))
    const { input, instructions } = full
    await said(post('/v1/responses/compact', { model, input, instructions, prompt_cache_key }))
    await said(post('/v1/responses/input_tokens', { ...counted, metadata: undefined }))
  }
  await said(post('/v1/conversations', { metadata: { a: canaries.metadata } }))
  await said(post('/v1/conversations', { items: [{ role: 'user', content: canaries.prompt }] }))
  await said(post('/v1/prompts', { name: 'a', instructions: canaries.instructions }))
  const socket = await connectSocket(clinic())
  const full = fullBody(canaries, 'demo')
  const first = await socket.end({ ...full, store: true })
  await socket.end({ ...full, previous_response_id: first.response?.id })
  await socket.end({ ...full, generate: false })
  await socket.close()
  const left = openExchange(clinic(), { ...full, input: `[slow:20] [long:500] ${canaries.prompt}`, stream: true })
  await new Promise((resolve) => setTimeout(resolve, 100))
  left.leave('rst')
  await left.ended
  return statuses
}

async function bytesOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n')
}

test('nothing that was said is in any file of the data directory or in the log, while it runs and after', async () => {
  await post('/v1/responses', { model: 'demo', input: CONTROL }, {}, server.apiKey)
  const statuses = new Set(await sayEverything())
  for (const status of [200, 400]) assert.ok(statuses.has(status), [...statuses].join())
  const running = await bytesOf(dataDir)
  await server.close()
  stopped = true
  const names: readonly CanaryName[] = CANARY_NAMES
  for (const bytes of [running, await bytesOf(dataDir)]) {
    assert.ok(bytes.includes(CONTROL), 'what another project stores is found')
    assert.deepEqual(findCanaries(bytes, canaries, names), [])
  }
  assert.ok(logLines.length > 10)
  assert.deepEqual(findCanaries(logLines.join(''), canaries, names), [])
})
