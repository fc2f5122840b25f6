/**
 * Open Responses: what its compliance suite asks of a server, each case by the name it has there, over real sockets and
 * with the published schemas as the judge. `docs/conformance.md` says what each one is for.
 *
 * The suite is not published as a package; these are tests of our own that assert what its 17 cases assert, and more
 * where it costs nothing: no `[DONE]` on a socket, the remembered word in the answer of the demo model.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { eventsOf, framesOf, type Reply, send } from '../support/http.ts'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'
import { connectSocket, type SocketClient, type SocketEvent } from '../support/socket-client.ts'
import {
  assertCompactResource,
  assertResponseResource,
  assertSocketError,
  assertStreamingEvent,
} from './open-responses-schemas.ts'

type Json = Record<string, unknown>
type Message = { type: 'message'; role: string; content: unknown; phase?: string }

const says = (role: string, content: unknown): Message => ({ type: 'message', role, content })
const part = (type: string, text: string) => ({ type, text })

/** A heart would do as well: 2 by 2 pixels of red. */
const RED_PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP8zwACTGCSAQANHQEDasKb6QAAAABJRU5ErkJggg=='
const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather at a place now',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'City and state' } },
    required: ['location'],
  },
}

function assertCompleted(response: unknown): Json {
  assertResponseResource(response)
  const checked = response as Json
  assert.equal(checked.status, 'completed')
  assert.ok((checked.output as unknown[]).length > 0, 'it has output')
  return checked
}

const itemTypes = (response: Json) => (response.output as { type: string }[]).map(({ type }) => type)

/** All events are events, and the last one brings a Response that is completed. */
function assertTurn(events: readonly SocketEvent[] | readonly Json[]): Json {
  assert.ok(events.length > 0)
  for (const event of events) assertStreamingEvent(event)
  const last = events.at(-1)
  assert.equal(last?.type, 'response.completed')
  return assertCompleted(last.response)
}

for (const { name: backend, model } of BACKENDS) {
  describe(`Open Responses, on ${backend}`, () => {
    const knows = (text: unknown, word: RegExp) => model !== 'demo' || assert.match(String(text), word)
    let server: TestServer
    const sockets: SocketClient[] = []
    before(async () => {
      server = await startServer()
    })
    after(async () => {
      for (const socket of sockets) await socket.close()
      await server.close()
    })

    const post = (path: string, body: object): Promise<Reply> => send(server, 'POST', path, body)
    const create = async (input: unknown, more: object = {}): Promise<Json> => {
      const reply = await post('/v1/responses', { model, input, stream: false, ...more })
      assert.equal(reply.status, 200, reply.text)
      assert.match(String(reply.headers['content-type']), /^application\/json/)
      return assertCompleted(reply.json)
    }
    const connect = async () => {
      const socket = await connectSocket(server)
      sockets.push(socket)
      return socket
    }

    test(`basic-response, on ${backend}`, async () => {
      await create([says('user', 'Greet me in three words.')])
    })

    test(`assistant-phase, on ${backend}`, async () => {
      const thinking = { ...says('assistant', 'The number I kept is what is asked for.'), phase: 'commentary' }
      const told = { ...says('assistant', 'It is four.'), phase: 'final_answer' }
      await create([thinking, told, says('user', 'Say the number alone.')])
    })

    test(`response-output-phase-schema, on ${backend}`, async () => {
      const phases = ['commentary', 'final_answer']
      const input = phases.map((phase) => ({ ...says('assistant', `a ${phase}`), phase }))
      const response = await create([...input, says('user', 'Go on.')])
      const listed = await send(server, 'GET', `/v1/responses/${response.id}/input_items?order=asc`)
      const output = (listed.json.data as Json[]).filter(({ role }) => role === 'assistant')
      assert.deepEqual(
        output.map(({ phase }) => phase),
        phases,
      )
      assertResponseResource({ ...response, output })
    })

    test(`streaming-response, on ${backend}`, async () => {
      const reply = await post('/v1/responses', { model, input: [says('user', 'Count up to five.')], stream: true })
      assert.match(String(reply.headers['content-type']), /^text\/event-stream/)
      for (const { event, data } of framesOf(reply.text)) {
        if (data !== '[DONE]') assert.equal(event, JSON.parse(data).type)
      }
      assertTurn(eventsOf(reply.text))
    })

    test(`websocket-response, on ${backend}`, async () => {
      const socket = await connect()
      assertTurn(await socket.turn({ model, input: [says('user', 'Count up to three.')] }))
    })

    test(`websocket-sequential-responses, on ${backend}`, async () => {
      const socket = await connect()
      const turns = [
        await socket.turn({ model, store: false, input: 'Say the word one.' }),
        await socket.turn({ model, store: false, input: 'Say the word two.' }),
      ]
      const [first, second] = turns.map(assertTurn)
      assert.notEqual(first?.id, second?.id)
    })

    test(`websocket-continuation, on ${backend}`, async () => {
      const socket = await connect()
      const first = assertTurn(await socket.turn({ model, store: false, input: 'The code word is cobalt.' }))
      const next = { model, store: false, previous_response_id: first.id, input: 'What is the code word?' }
      const second = assertTurn(await socket.turn(next))
      assert.equal(second.previous_response_id, first.id)
      knows(second.output_text, /cobalt/)
    })

    test(`websocket-reconnect-store-false-recovery, on ${backend}`, async () => {
      const first = assertTurn(await (await connect()).turn({ model, store: false, input: 'The code word is copper.' }))
      const socket = await connect()
      const lost = await socket.end({ model, store: false, previous_response_id: first.id, input: 'Go on.' })
      assertSocketError(lost)
      assert.equal(lost.error?.code, 'previous_response_not_found')
      assertTurn(await socket.turn({ model, store: false, input: [says('user', 'Begin anew and say so.')] }))
    })

    test(`websocket-previous-response-not-found, on ${backend}`, async () => {
      const socket = await connect()
      const never = { model, store: false, previous_response_id: 'resp_that_never_was', input: 'Go on.' }
      const turn = await socket.turn(never)
      assert.equal(turn.length, 1)
      assertSocketError(turn[0])
      assert.deepEqual(turn[0]?.error?.code, 'previous_response_not_found')
    })

    test(`websocket-failed-continuation-evicts-cache, on ${backend}`, async () => {
      const socket = await connect()
      const first = assertTurn(await socket.turn({ model, store: false, input: 'The code word is ember.' }))
      const onFirst = { model, store: false, previous_response_id: first.id }
      const orphan = [{ type: 'function_call_output', call_id: 'call_of_nobody', output: 'There was no such call.' }]
      const failed = await socket.end({ ...onFirst, input: orphan })
      assertSocketError(failed)
      const again = await socket.end({ ...onFirst, input: 'What is the code word?' })
      assertSocketError(again)
      assert.equal(again.error?.code, 'previous_response_not_found')
    })

    test(`websocket-compact-new-chain, on ${backend}`, async () => {
      const window = await post('/v1/responses/compact', {
        model,
        input: [
          says('user', [part('input_text', 'The code word is slate.')]),
          says('assistant', [part('output_text', 'Noted.')]),
          says('user', [part('input_text', 'Shorten this for later.')]),
        ],
      })
      assert.equal(window.status, 200, window.text)
      assertCompactResource(window.json)
      const input = [...(window.json.output as Json[]), says('user', 'What is the code word?')]
      const socket = await connect()
      const response = assertTurn(await socket.turn({ model, store: false, input, tools: [] }))
      assert.equal(response.previous_response_id, null)
      knows(response.output_text, /slate/)
    })

    test(`system-prompt, on ${backend}`, async () => {
      await create([says('system', 'You speak like a sailor.'), says('user', 'Greet me.')])
    })

    test(`tool-calling, on ${backend}`, async () => {
      const asked = [says('user', 'What is the weather in San Francisco? Call get_weather to know.')]
      const response = await create(asked, { tools: [WEATHER] })
      assert.ok(itemTypes(response).includes('function_call'))
    })

    test(`image-input, on ${backend}`, async () => {
      const content = [part('input_text', 'What is in this picture?'), { type: 'input_image', image_url: RED_PNG }]
      await create([says('user', content)])
    })

    test(`multi-turn, on ${backend}`, async () => {
      const said = [says('user', 'My name is Alice.'), says('assistant', 'Good to meet you, Alice.')]
      const { output_text } = await create([...said, says('user', 'What is my name?')])
      knows(output_text, /Alice/)
    })

    test(`compact-response, on ${backend}`, async () => {
      const reply = await post('/v1/responses/compact', {
        model,
        prompt_cache_key: 'conformance',
        input: [
          says('user', 'We start on Tuesday and tell support before.'),
          says('assistant', 'Tuesday it is, and support will know before.'),
        ],
      })
      assert.equal(reply.status, 200, reply.text)
      assertCompactResource(reply.json)
      assert.ok(itemTypes(reply.json).includes('compaction'))
    })

    test(`compact-missing-model, on ${backend}`, async () => {
      const { status, json } = await post('/v1/responses/compact', { input: [says('user', 'Shorten this.')] })
      assert.equal(status, 400)
      assert.equal((json.error as Json).param, 'model')
    })
  })
}

test('the page on conformance names every case, and this file tests every one that it names', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')
  const tested = [...source.matchAll(/test\(`([a-z-]+), on/g)].map(([, name]) => name)
  const named = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)
  assert.equal(tested.length, 17)
  assert.deepEqual(named, tested)
})

test('the schemas refuse what Open Responses does not have', () => {
  assert.throws(() => assertResponseResource({ id: 'resp_1', object: 'response' }), /completed_at/)
  assert.throws(() => assertStreamingEvent({ type: 'response.reasoning_text.delta' }), /no event of Open Responses/)
  assert.throws(() => assertStreamingEvent({ type: 'response.completed' }), /sequence_number/)
  assert.throws(() => assertCompactResource({ object: 'response.compaction', output: [] }), /usage/)
  assert.throws(() => assertSocketError({ type: 'error', error: { message: 'x' } }), /status/)
})
