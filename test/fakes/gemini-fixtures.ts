/** The recorded replies in test/fixtures/gemini, and what tests need to replay them. */
import { readdirSync, readFileSync } from 'node:fs'
import { createSseDecoder } from '../../src/lib/sse-decode.ts'
import { createStreamDecoder } from '../../src/models/gemini/decode-stream.ts'
import type { ModelEvent, ModelTurn } from '../../src/models/model.ts'
import { fixtureTurn, TEST_TURN } from './chat-fixtures.ts'

const FOLDER = new URL('../fixtures/gemini/', import.meta.url)

export type GeminiFixture = {
  readonly name: string
  readonly logprobs: boolean
  readonly wire: Uint8Array
  readonly events: readonly ModelEvent[]
}

export const GEMINI_3 = 'gemini-3-flash-preview'
export const GEMINI_TURN: ModelTurn = { ...TEST_TURN, model: GEMINI_3 }

/** The turn all fixtures answer. */
export const geminiFixtureTurn = ({ logprobs }: Pick<GeminiFixture, 'logprobs'>): ModelTurn => ({
  ...fixtureTurn({ logprobs }),
  model: GEMINI_3,
})

/** Replies without a `.json` end in an error; their tests name them. */
export const readGeminiFixtures = (): readonly GeminiFixture[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const name = file.slice(0, -'.json'.length)
      const expected: Pick<GeminiFixture, 'logprobs' | 'events'> = JSON.parse(
        readFileSync(new URL(file, FOLDER), 'utf8'),
      )
      return { ...expected, name, wire: readGeminiWire(name) }
    })

export const readGeminiWire = (name: string): Uint8Array => readFileSync(new URL(`${name}.sse`, FOLDER))

/** The byte behind the chunk that says why the model stopped: from here on a reply may end without an error. */
export function geminiCompleteAt({ wire }: Pick<GeminiFixture, 'wire'>): number {
  const text = Buffer.from(wire).toString('latin1')
  const reason = text.search(/"(finishReason|blockReason)": "/)
  return text.slice(0, text.indexOf('\n', reason)).trimEnd().length
}

/** What the decoder makes of these bytes; events that came before a failure are in `out`. */
export function decodeGeminiWire(
  wire: Uint8Array,
  { logprobs }: Pick<GeminiFixture, 'logprobs'>,
  out: ModelEvent[] = [],
) {
  const turn = geminiFixtureTurn({ logprobs })
  const error = { provider: 'gemini', model: turn.model, secrets: [], params: {} }
  const decoder = createStreamDecoder({ turn, error })
  const sse = createSseDecoder((data, event) => decoder.data(data, event, out))
  sse.feed(wire)
  sse.end()
  decoder.end(out)
  return out
}
