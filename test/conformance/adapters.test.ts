/**
 * The same conversations with every provider: one expected outcome each. Where a provider's adapter says in its table of
 * fields that it cannot take something, the server must say so; every other difference fails.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import OpenAI from 'openai'
import { fieldTable as chatFields } from '../../src/models/chat-completions/field-table.ts'
import { quirksOf } from '../../src/models/chat-completions/providers.ts'
import { fieldTable as geminiFields } from '../../src/models/gemini/field-table.ts'
import type { FieldTable } from '../../src/models/model.ts'
import { fieldTable as responsesFields } from '../../src/models/responses/field-table.ts'
import { responsesQuirksOf } from '../../src/models/responses/providers.ts'
import { API_KEY, startServer, type TestServer } from '../support/server.ts'
import { CLIENT_TOOL_CONVERSATIONS } from './client-tool-conversations.ts'
import { CONVERSATIONS, type Conversation, type Outcome, type Step } from './conversations.ts'
import { type HeldStep, holdConversation } from './hold-conversation.ts'
import { type Provider, startProvider } from './provider.ts'
import type { Wire } from './said.ts'
import { anthropic } from './wires/anthropic.ts'
import { chat } from './wires/chat.ts'
import { gemini } from './wires/gemini.ts'
import { responses } from './wires/responses.ts'

/** An adapter, and the fake provider it is held against. */
type Subject = {
  readonly name: string
  readonly wire: Wire
  /** Of the connection in the configuration, besides address and key. */
  readonly connection: string
  readonly fields: FieldTable
  /** It never hears what its provider thinks: OpenAI's own Chat Completions do not say it, so their package does not read it. */
  readonly deafToThoughts?: true
}

const native = (wire: Wire, fields: FieldTable): Subject => ({
  name: wire.name,
  wire,
  connection: `type: openai_compatible, wire_api: ${wire.api}`,
  fields,
})

const SUBJECTS: readonly Subject[] = [
  native(chat, chatFields(quirksOf('openai_compatible'))),
  native(anthropic, {}),
  native(gemini, geminiFields({ vertex: false })),
  native(responses, responsesFields(responsesQuirksOf('openai_compatible', {}))),
  {
    name: 'Chat Completions through a package of the AI SDK',
    wire: chat,
    connection: 'type: ai_sdk, package: "@ai-sdk/openai", method: chat',
    fields: {},
    deafToThoughts: true,
  },
]

for (const subject of SUBJECTS) {
  describe(`every conversation comes out the same with ${subject.name}`, () => {
    const { wire, connection } = subject
    let provider: Provider
    let server: TestServer
    before(async () => {
      provider = await startProvider(wire)
      server = await startServer({
        providers: [`one: { ${connection}, api_base: "${provider.baseUrl}", api_key: key-of-one }`],
        config: 'router: { num_retries: 1 }\n',
      })
    })
    after(async () => {
      await server.close()
      await provider.close()
    })
    for (const conversation of [...CONVERSATIONS, ...CLIENT_TOOL_CONVERSATIONS]) {
      for (const stream of [false, true]) {
        it(`${conversation.name}, ${stream ? 'streamed' : 'as JSON'}`, () =>
          hold(conversation, { subject, provider, server, stream }))
      }
    }
  })
}

type Setting = {
  readonly subject: Subject
  readonly provider: Provider
  readonly server: TestServer
  readonly stream: boolean
}

async function hold(conversation: Conversation, setting: Setting): Promise<void> {
  const { subject, provider, server, stream } = setting
  const openai = new OpenAI({ baseURL: server.baseUrl, apiKey: API_KEY, maxRetries: 0 })
  let signed: string | null = null
  await holdConversation(
    conversation,
    { openai, model: 'one/model-1', stream },
    {
      before: ({ replies }) => provider.script(replies),
      after(step, held) {
        checkOutcome(step, held, setting)
        checkHeard(step, setting)
        if (step.returnsState && signed !== null) {
          assert.ok(provider.bodies.at(-1)?.includes(signed), 'the state of the thought came back')
        }
        signed = signatureOf(step, subject.wire) ?? signed
      },
    },
  )
}

function checkOutcome(step: Step, { outcome, warnings }: HeldStep, { subject, stream }: Setting): void {
  const { needs = [], expect } = step
  const { fields: table, wire, deafToThoughts } = subject
  if (needs.some((field) => table[field] === 'refused')) {
    assert.equal(outcome.error?.status, 400, 'what the table refuses is refused before anything is sent')
    return
  }
  for (const field of needs) if (table[field] === 'ignored') assert.ok(warnings.includes(field), warnings)
  if (expect.error) {
    checkFailure(expect.error, outcome, stream)
    return
  }
  assert.equal(outcome.error, undefined, JSON.stringify({ outcome, warnings }))
  const whole: Outcome = { status: 'completed', ...expect }
  const expected = deafToThoughts && expect.output ? without('thought: ', whole) : whole
  const got = wire.declines ? without('refusal: ', outcome) : outcome
  assert.deepEqual(pick(got, Object.keys(expected)), expected)
}

const without = (kind: string, outcome: Outcome): Outcome => ({
  ...outcome,
  output: outcome.output?.filter((line) => !line.startsWith(kind)) ?? [],
})

/** A stream that began with the status 200 fails by its last event, which has a code and no status. */
function checkFailure(expected: NonNullable<Outcome['error']>, outcome: Outcome, stream: boolean): void {
  const told: NonNullable<Outcome['error']> = outcome.error ?? { status: 200 }
  if (stream && told.status === 0) assert.notEqual(told.code, '')
  else assert.deepEqual(pick(told, Object.keys(expected)), expected)
}

function checkHeard({ heard = {}, heardInstead, needs = [] }: Step, { provider, subject }: Setting): void {
  const isEmulated = needs.some((field) => subject.fields[field] === 'emulated')
  const wanted = (isEmulated && heardInstead) || heard
  const last = provider.heard.at(-1)
  // Nothing was heard of what was refused.
  if (last) assert.deepEqual(pick(last, Object.keys(wanted)), wanted)
}

function signatureOf({ replies }: Step, wire: Wire): string | null {
  const said = replies.flatMap((reply) => ('says' in reply ? reply.says : []))
  for (const it of said) if ('thought' in it) return wire.signed(it)
  return null
}

const pick = (value: object, keys: readonly string[]) =>
  Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
