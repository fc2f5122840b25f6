/** Whatever text comes out of a model, no parser of the stream sees an event that is none, or loses one that is. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { Stream } from 'openai/core/streaming'
import { request } from 'undici'
import { framesOf, send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { hostileText } from './hostile-texts.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { completionChunk, DONE, event, finish, JSON_TYPE, type WireReply } from './hostile-wire.ts'
import { announceSeed, isFull, seededRandom } from './seed.ts'
import { asChatUpstream } from './upstream-fixture.ts'

const ROUNDS = isFull ? 5_000 : 300
const AT_ONCE = 4
const MAX_PIECES = 5
const SHARE_SENT_BACK = 0.2
const AGAIN = '{"choices":[{"message":{"content":"again"},"finish_reason":"stop"}]}'

type Said = {
  readonly reasoning: string
  readonly text: string
  readonly value: string
  readonly callId: string
}

const said: fc.Arbitrary<Said> = fc.record({
  reasoning: hostileText,
  text: hostileText,
  value: hostileText,
  callId: hostileText.map((text) => `call_${text.slice(0, 40)}`),
})

let upstream: HostileUpstream
let server: TestServer
const scripts = new Map<string, (reply: WireReply) => Promise<void>>()
before(async () => {
  upstream = await startHostileUpstream({ play: (model) => scripts.get(model) ?? null })
  server = await startServer({ upstream: asChatUpstream(upstream.port), config: 'limits: { requests_per_minute: 0 }' })
})
after(async () => {
  await upstream.close()
  await server.close()
})

test('hostile texts reach three parsers as the same events, and the reader as they were said', async (t) => {
  const seed = announceSeed(t)
  const samples = fc.sample(said, { numRuns: ROUNDS, seed })
  const random = seededRandom(seed)
  let index = 0
  const work = async () => {
    for (let round = index++; round < samples.length; round = index++) {
      const sample = samples[round]
      assert.ok(sample)
      await check(sample, `round-${round}`, random)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
})

async function check(sample: Said, model: string, random: () => number): Promise<void> {
  scripts.set(model, (reply) => play(sample, reply, random))
  const reply = await request(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: `upstream/${model}`,
      input: 'x',
      stream: true,
      tools: [{ type: 'function', name: 'echo', parameters: { type: 'object', properties: {} } }],
    }),
  })
  const body = await reply.body.text()
  scripts.delete(model)
  const what = JSON.stringify(sample)
  const events = byEventSourceParser(body)
  assert.deepEqual(
    framesOf(body)
      .slice(0, -1)
      .map(({ data }) => JSON.parse(data)),
    events,
    what,
  )
  assert.deepEqual(await bySdk(body), events, what)
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
    what,
  )
  checkTold(events, sample)
  if (random() < SHARE_SENT_BACK) await checkSentBack(events.at(-1)?.response)
}

/** What we have said can be sent to us again. */
async function checkSentBack(response: unknown): Promise<void> {
  const { output } = response as { output: Item[] }
  const done = output.flatMap(({ type, call_id }) =>
    type === 'function_call' ? [{ type: 'function_call_output', call_id, output: 'done' }] : [],
  )
  scripts.set('again', async (reply) => reply.whole(200, JSON_TYPE, AGAIN))
  const reply = await send(server, 'POST', '/v1/responses', {
    model: 'upstream/again',
    input: [{ role: 'user', content: 'x' }, ...output, ...done],
  })
  assert.equal(reply.status, 200, `${reply.text} ${JSON.stringify(output)}`)
}

/** Each text in pieces, cut anywhere, also inside a surrogate pair. */
async function play(sample: Said, reply: WireReply, random: () => number): Promise<void> {
  const args = JSON.stringify({ value: sample.value })
  const send = (delta: Record<string, unknown>) => reply.chunk(event(completionChunk(delta)))
  await reply.open()
  for (const piece of cut(sample.reasoning, random)) await send({ reasoning_content: piece })
  for (const piece of cut(sample.text, random)) await send({ content: piece })
  const [first = '', ...rest] = cut(args, random)
  const start = { index: 0, id: sample.callId, type: 'function', function: { name: 'echo', arguments: first } }
  await send({ tool_calls: [start] })
  for (const piece of rest) await send({ tool_calls: [{ index: 0, function: { arguments: piece } }] })
  await reply.chunk(finish('tool_calls') + DONE)
  await reply.close()
}

function cut(text: string, random: () => number): string[] {
  const pieces: string[] = []
  let rest = text
  for (let left = Math.floor(random() * MAX_PIECES); left > 0 && rest.length > 1; left -= 1) {
    const at = 1 + Math.floor(random() * (rest.length - 1))
    pieces.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return [...pieces, rest]
}

type Event = Record<string, unknown>

function byEventSourceParser(body: string): Event[] {
  const events: Event[] = []
  const parser = createParser({
    onEvent({ event, data }) {
      if (data === '[DONE]') return
      const parsed = JSON.parse(data)
      assert.equal(parsed.type, event)
      events.push(parsed)
    },
    onError: (error) => assert.fail(error),
  })
  parser.feed(body)
  return events
}

async function bySdk(body: string): Promise<Event[]> {
  const events: Event[] = []
  const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  for await (const event of Stream.fromSSEResponse<Event>(response, new AbortController())) events.push(event)
  return events
}

type Item = { type: string; call_id?: string; arguments?: string; content?: { text?: string }[] }

/** A NUL and half of a surrogate pair can be neither stored nor sent back: both become U+FFFD. All else is kept. */
const kept = (text: string) => text.toWellFormed().replaceAll('\0', '\uFFFD')

function checkTold(events: readonly Event[], sample: Said): void {
  const last = events.at(-1)
  assert.equal(last?.type, 'response.completed', JSON.stringify(last).slice(0, 500))
  const { output } = last.response as { output: Item[] }
  const of = (type: string) => output.find((item) => item.type === type)
  assert.equal(of('message')?.content?.[0]?.text ?? '', kept(sample.text))
  assert.equal(JSON.parse(of('function_call')?.arguments ?? '').value, JSON.parse(JSON.stringify(sample.value)))
  // Whatever the upstream named the call: the client must be able to send the name back.
  assert.match(of('function_call')?.call_id ?? '', /^call_[\x21-\x7e]*$/)
  assert.ok(JSON.stringify(of('reasoning') ?? '').includes(JSON.stringify(kept(sample.reasoning)).slice(1, -1)))
}
