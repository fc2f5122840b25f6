/** The recorded replies in test/fixtures/chat-completions, and what tests need to replay them. */
import { readdirSync, readFileSync } from 'node:fs'
import { createSseDecoder } from '../../src/lib/sse-decode.ts'
import { createStreamDecoder } from '../../src/models/chat-completions/decode-stream.ts'
import { quirksOf } from '../../src/models/chat-completions/providers.ts'
import type { ModelCapabilities, ModelEvent, ModelTurn, ToolDeclaration } from '../../src/models/model.ts'
import { PLAIN_TURN } from '../../src/models/plain-turn.ts'

const FOLDER = new URL('../fixtures/chat-completions/', import.meta.url)

export type ChatFixture = {
  readonly name: string
  readonly provider: string
  readonly logprobs: boolean
  readonly wire: Uint8Array
  readonly events: readonly ModelEvent[]
}

const tool = (name: string): ToolDeclaration => ({
  type: 'function',
  name,
  description: null,
  parameters: null,
  strict: false,
})

export const TEST_CAPABILITIES: ModelCapabilities = {
  contextWindow: null,
  maxOutputTokens: null,
  imageInput: true,
  fileInput: true,
  functionTools: true,
  customTools: false,
  structuredOutput: true,
  reasoning: true,
  logprobs: true,
}

export const TEST_TURN: ModelTurn = {
  ...PLAIN_TURN,
  model: 'test-model',
  items: [
    {
      id: 'msg_1',
      type: 'message',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_text', text: 'Hello' }],
    },
  ],
}

/** The turn all fixtures answer. */
export const fixtureTurn = ({ logprobs }: Pick<ChatFixture, 'logprobs'>): ModelTurn => ({
  ...TEST_TURN,
  tools: [tool('get_weather'), tool('get_time')],
  topLogprobs: logprobs ? 2 : null,
})

export const readFixtures = (): readonly ChatFixture[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => {
      const name = file.slice(0, -'.sse'.length)
      const expected: Omit<ChatFixture, 'name' | 'wire'> = JSON.parse(
        readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'),
      )
      return { ...expected, name, wire: readFileSync(new URL(file, FOLDER)) }
    })

/** The byte behind the chunk that says why the model stopped: from here on a reply may end without an error. */
export function completeAt({ wire }: Pick<ChatFixture, 'wire'>): number {
  const text = Buffer.from(wire).toString('latin1')
  const reason = text.search(/"finish_reason":\s*"/)
  return text.slice(0, text.indexOf('\n', reason)).trimEnd().length
}

/** What the decoder makes of these bytes; events that came before a failure are in `out`. */
export function decodeWire(
  wire: Uint8Array,
  { provider, logprobs }: Pick<ChatFixture, 'provider' | 'logprobs'>,
  out: ModelEvent[] = [],
) {
  const turn = fixtureTurn({ logprobs })
  const error = { provider, model: turn.model, secrets: [], params: {} }
  const decoder = createStreamDecoder({ turn, quirks: quirksOf(provider), error })
  const sse = createSseDecoder((data, event) => decoder.data(data, event, out))
  sse.feed(wire)
  sse.end()
  decoder.end(out)
  return out
}
