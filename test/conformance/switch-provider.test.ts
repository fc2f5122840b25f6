/** One conversation that moves from provider to provider keeps its calls, outputs and texts; what is lost is said. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import type { Response, ResponseInput } from 'openai/resources/responses/responses'
import { API_KEY, startServer, type TestServer } from '../support/server.ts'
import { type Provider, startProvider } from './provider.ts'
import type { HeardPart, Said, Wire } from './said.ts'
import { anthropic } from './wires/anthropic.ts'
import { chat } from './wires/chat.ts'
import { gemini } from './wires/gemini.ts'
import { responses } from './wires/responses.ts'

const WIRES: readonly Wire[] = [anthropic, responses, gemini, chat]
const TOOLS = [
  { type: 'function' as const, name: 'weather', parameters: { type: 'object', properties: {} }, strict: false },
]

const providers = new Map<string, Provider>()
let server: TestServer
before(async () => {
  for (const wire of WIRES) providers.set(wire.api, await startProvider(wire))
  server = await startServer({
    providers: [...providers].map(
      ([api, { baseUrl }]) =>
        `${api}_side: { type: openai_compatible, api_base: "${baseUrl}", api_key: key-of-${api}, wire_api: ${api} }`,
    ),
  })
})
after(async () => {
  await server.close()
  for (const provider of providers.values()) await provider.close()
})

/** A thought, which only its own provider can be shown again, then what is to be kept. */
const thought = (api: string): Said => ({ thought: `Thought of ${api}.`, signature: `state of ${api}` })
const call = (city: string): Said => ({ call: 'weather', input: { city } })

async function ask(api: string, says: readonly Said[], input: ResponseInput, previous: Response | null) {
  const provider = providers.get(api)
  assert.ok(provider)
  provider.script([{ says }])
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: API_KEY, maxRetries: 0 })
  const { data, response } = await client.responses
    .create({
      model: `${api}_side/model-1`,
      input,
      tools: TOOLS,
      reasoning: { effort: 'medium', summary: 'auto' },
      ...(previous && { previous_response_id: previous.id }),
    })
    .withResponse()
  const heard = provider.heard.at(-1)
  assert.ok(heard)
  return { response: data, heard: heard.parts, warnings: response.headers.get('x-antiphon-warnings') ?? '' }
}

function answered(response: Response, output: string): ResponseInput {
  const made = response.output.find((item) => item.type === 'function_call')
  assert.ok(made?.type === 'function_call')
  return [{ type: 'function_call_output', call_id: made.call_id, output }]
}

const withoutThoughts = (parts: readonly HeardPart[]) => parts.filter((part) => !('thought' in part))
const result = (text: string): HeardPart => ({ from: 'tool', result: text })
const called = (city: string): HeardPart => ({ from: 'model', call: 'weather', input: { city } })

test('a conversation goes from Anthropic to OpenAI to Gemini to Chat Completions and keeps all that can be kept', async () => {
  const start: ResponseInput = [{ role: 'user', content: 'Three cities, please.' }]
  const first = await ask('anthropic', [thought('anthropic'), { text: 'First.' }, call('Oslo')], start, null)
  const second = await ask(
    'responses',
    [thought('responses'), call('Paris')],
    answered(first.response, 'Snow'),
    first.response,
  )
  const third = await ask(
    'gemini',
    [thought('gemini'), call('Rome')],
    answered(second.response, 'Rain'),
    second.response,
  )
  const fourth = await ask('chat', [{ text: 'Snow, rain, sun.' }], answered(third.response, 'Sun'), third.response)
  const fifth = await ask('anthropic', [{ text: 'As I said.' }], [{ role: 'user', content: 'Again.' }], fourth.response)

  const kept: readonly HeardPart[] = [
    { from: 'user', text: 'Three cities, please.' },
    { from: 'model', text: 'First.' },
    called('Oslo'),
    result('Snow'),
    called('Paris'),
    result('Rain'),
    called('Rome'),
    result('Sun'),
  ]
  assert.deepEqual(withoutThoughts(second.heard), kept.slice(0, 4))
  assert.deepEqual(withoutThoughts(third.heard), kept.slice(0, 6))
  assert.deepEqual(withoutThoughts(fourth.heard), kept)
  assert.deepEqual(withoutThoughts(fifth.heard), [
    ...kept,
    { from: 'model', text: 'Snow, rain, sun.' },
    { from: 'user', text: 'Again.' },
  ])
  for (const { warnings } of [second, third, fourth, fifth]) assert.match(warnings, /reasoning of the provider/)
  assert.doesNotMatch(first.warnings, /reasoning of the provider/)
})

test('the state of a thought goes to the provider it is from and to no other', async () => {
  const start: ResponseInput = [{ role: 'user', content: 'Hi' }]
  const first = await ask('anthropic', [thought('anthropic'), call('Oslo')], start, null)
  const signature = anthropic.signed({ thought: 'Thought of anthropic.', signature: 'state of anthropic' })
  assert.ok(signature)
  const answer = answered(first.response, 'Snow')
  for (const api of ['responses', 'gemini', 'chat']) {
    await ask(api, [{ text: 'OK' }], answer, first.response)
    assert.ok(!providers.get(api)?.bodies.join().includes(signature), api)
  }
  await ask('anthropic', [{ text: 'OK' }], answer, first.response)
  assert.ok(providers.get('anthropic')?.bodies.join().includes(signature))
})
