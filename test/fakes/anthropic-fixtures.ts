/** The replies in test/fixtures/anthropic, in the provider's own bytes, and what tests need to replay them. */
import { readdirSync, readFileSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import { createCountingIds } from '../../src/lib/ids.ts'
import { createSseDecoder } from '../../src/lib/sse-decode.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../src/lib/upstream-http.ts'
import { type AnthropicOptions, createAnthropicModel } from '../../src/models/anthropic/anthropic-model.ts'
import { createStreamDecoder } from '../../src/models/anthropic/decode-stream.ts'
import type { ModelErrorKind, ModelEvent, ModelTurn } from '../../src/models/model.ts'
import type { AdapterModel } from '../../src/models/upstream/adapter-options.ts'
import { fixtureTurn as chatTurn, TEST_CAPABILITIES } from './chat-fixtures.ts'

const FOLDER = new URL('../fixtures/anthropic/', import.meta.url)

export type AnthropicFixture = {
  readonly name: string
  readonly wire: Uint8Array
  readonly events: readonly ModelEvent[]
  /** How the reply fails, when it does. */
  readonly error?: { readonly kind: ModelErrorKind; readonly status: number | null }
}

/** The turn all of them answer: it offers `get_weather` and `get_time`. */
export const fixtureTurn: ModelTurn = { ...chatTurn({ logprobs: false }), model: 'claude-sonnet-4-5' }

export const readFixtures = (): readonly AnthropicFixture[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => {
      const name = file.slice(0, -'.sse'.length)
      const expected: Omit<AnthropicFixture, 'name' | 'wire'> = JSON.parse(
        readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'),
      )
      return { ...expected, name, wire: readFileSync(new URL(file, FOLDER)) }
    })

/** The byte behind the event that says why the model stopped: from here on a reply may end without an error. */
export function completeAt({ wire }: Pick<AnthropicFixture, 'wire'>): number {
  const text = Buffer.from(wire).toString('latin1')
  const reason = text.search(/"stop_reason":"/)
  return reason < 0 ? wire.length : text.slice(0, text.indexOf('\n', reason)).trimEnd().length
}

/** What the decoder makes of these bytes; events that came before a failure are in `out`. */
export function decodeWire(wire: Uint8Array, out: ModelEvent[] = []): ModelEvent[] {
  const error = { provider: 'anthropic', model: fixtureTurn.model, secrets: [], params: {} }
  const decoder = createStreamDecoder({ turn: fixtureTurn, error })
  const sse = createSseDecoder((data, event) => decoder.data(data, event, out))
  sse.feed(wire)
  sse.end()
  decoder.end(out)
  return out
}

/** The adapter in front of a fake at this address. */
export const createTestModel = (baseUrl: string, options: Partial<AnthropicOptions> = {}): AdapterModel =>
  createAnthropicModel({
    provider: 'anthropic',
    baseUrl,
    apiKey: 'secret-key',
    model: fixtureTurn.model,
    capabilities: TEST_CAPABILITIES,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    clock: systemClock,
    ids: createCountingIds(),
    ...options,
  })
