/** Single promises of the API, each end to end. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '../../src/telemetry/log.ts'
import { eventsOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

const create = (body: Record<string, unknown>, from: TestServer = server) =>
  send(from, 'POST', '/v1/responses', { model: UPSTREAM_MODEL, ...body })
const lastUpstreamBody = () =>
  server.upstream.requests.at(-1)?.body as { messages: { role: string; content: unknown }[] }
const errorOf = (json: Record<string, unknown>) => json.error as { code: string; param: string; message: string }

test('instructions come first and are echoed (req 9)', async () => {
  const { json } = await create({
    input: [
      { role: 'developer', content: 'D' },
      { role: 'user', content: 'U' },
    ],
    instructions: 'I',
  })
  assert.equal(json.instructions, 'I')
  const { messages } = lastUpstreamBody()
  assert.match(JSON.stringify(messages[0]), /"I/)
  assert.equal(messages.at(-1)?.role, 'user')
})

test('verbosity is reported where a provider does not take it, and echoed (req 36)', async () => {
  const reply = await create({ input: 'x', text: { verbosity: 'low' } })
  assert.match(String(reply.headers['x-antiphon-warnings']), /text\.verbosity/)
  assert.deepEqual(reply.json.text, { format: { type: 'text' }, verbosity: 'low' })
})

test('inline image bytes are listed only when they are asked for (req 61)', async () => {
  const image_url = 'data:image/png;base64,iVBORw0KGgo='
  const content = [
    { type: 'input_text', text: 'What is it?' },
    { type: 'input_image', image_url },
  ]
  const { json } = await create({ input: [{ role: 'user', content }] })
  const path = `/v1/responses/${json.id}/input_items`
  assert.ok(!(await send(server, 'GET', path)).text.includes(image_url))
  const shown = await send(server, 'GET', `${path}?include[]=message.input_image.image_url`)
  assert.ok(shown.text.includes(image_url))
})

test('the phase of an assistant message survives input, storage and listing (req 66)', async () => {
  const input = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Let me see.', phase: 'commentary' },
    { role: 'user', content: 'Go on.' },
  ]
  const { json } = await create({ input })
  const listed = await send(server, 'GET', `/v1/responses/${json.id}/input_items?order=asc`)
  assert.equal((listed.json.data as { phase?: string }[])[1]?.phase, 'commentary')
})

test('reasoning items without what followed them are taken, not refused (req 78)', async () => {
  const orphan = { type: 'reasoning', id: 'rs_orphan', summary: [], content: null }
  const { status } = await create({
    input: [{ role: 'user', content: 'Hi' }, orphan, { role: 'user', content: 'Go on.' }],
  })
  assert.equal(status, 200)
})

test('annotations of a provider are announced and kept in the final part (req 89)', async () => {
  const chunk = (delta: object, more: object = {}) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`
  const url_citation = { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 5 }
  server.upstream.push({
    headers: { 'content-type': 'text/event-stream' },
    wire: [
      chunk({ role: 'assistant', content: 'Hello' }),
      chunk({ annotations: [{ type: 'url_citation', url_citation }] }),
      chunk({}, { finish_reason: 'stop' }),
      'data: [DONE]\n\n',
    ].join(''),
  })
  const events = eventsOf((await create({ input: 'x', stream: true })).text)
  const added = events.find(({ type }) => type === 'response.output_text.annotation.added')
  assert.deepEqual(added?.annotation, { type: 'url_citation', ...url_citation })
  const final = events.at(-1)?.response as { output: { content: { annotations: unknown[] }[] }[] }
  assert.deepEqual(final.output[0]?.content[0]?.annotations, [added?.annotation])
})

test('an account that is used up is told as such, and not to be retried (req 189)', async () => {
  server.upstream.push({
    status: 429,
    wire: JSON.stringify({ error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }),
  })
  const before = server.upstream.requests.length
  const reply = await create({ input: 'x' })
  assert.equal(reply.status, 429)
  assert.equal(errorOf(reply.json).code, 'insufficient_quota')
  assert.equal(reply.headers['x-should-retry'], 'false')
  assert.equal(reply.headers['retry-after'], undefined)
  assert.equal(server.upstream.requests.length - before, 1)
})

test('a response that takes longer than the server allows ends as failed (req 156)', async () => {
  const quick = await startServer({ config: 'limits: { response_time: 1s }\n' })
  try {
    const reply = await create({ model: 'demo', input: '[slow:50] [long:500]', stream: true }, quick)
    const last = eventsOf(reply.text).at(-1)
    assert.equal(last?.type, 'response.failed')
    assert.match(JSON.stringify(last), /took longer/)
  } finally {
    await quick.close()
  }
})

test('logs hold no prompt, no answer and no key, at any level (req 195)', async () => {
  const lines: string[] = []
  const log = createLog({
    level: 'debug',
    format: 'json',
    colour: false,
    secrets: [],
    write: (line) => lines.push(line),
  })
  const logged = await startServer({ telemetry: log })
  const canary = 'heron-canary-7731'
  try {
    for (const body of [
      { input: `Say ${canary}` },
      { input: `Say ${canary}`, stream: true },
      { input: `Say ${canary}`, temperature: 9 },
      { input: `[fail:500] ${canary}`, model: 'demo' },
      { input: canary, previous_response_id: 'resp_nope' },
      { input: canary, metadata: { [canary]: canary }, user: canary },
    ]) {
      await create(body, logged)
    }
    await send(logged, 'GET', `/v1/responses/${canary}`)
    await send(logged, 'GET', '/v1/models', undefined, { key: canary })
  } finally {
    await logged.close()
    log.flush()
  }
  const written = lines.join('')
  assert.ok(lines.length >= 8)
  for (const secret of [canary, logged.apiKey, 'upstream-secret-key']) assert.ok(!written.includes(secret))
})

test('too many responses of one project at once are refused with a wait', async () => {
  const narrow = await startServer({ config: 'limits: { streams_per_project: 1 }\n' })
  try {
    narrow.upstream.push({ answer: { text: 'word '.repeat(60) }, delayMs: 5 })
    const [first, second] = await Promise.all([create({ input: 'a' }, narrow), create({ input: 'b' }, narrow)])
    const [taken, refused] = first.status === 200 ? [first, second] : [second, first]
    assert.equal(taken.status, 200)
    assert.equal(refused.status, 429)
    assert.equal(refused.headers['retry-after'], '1')
    assert.equal((await create({ input: 'c' }, narrow)).status, 200)
  } finally {
    await narrow.close()
  }
})
