/** The recorded replies in test/fixtures/responses, and what tests need to replay them. */
import { readdirSync, readFileSync } from 'node:fs'
import { createSseDecoder } from '../../src/lib/sse-decode.ts'
import type { ModelEvent, ModelTurn } from '../../src/models/model.ts'
import { createResponsesDecoder } from '../../src/models/responses/decode-stream.ts'
import { fixtureTurn as chatTurn } from './chat-fixtures.ts'

const FOLDER = new URL('../fixtures/responses/', import.meta.url)

export type ResponsesFixture = {
  readonly name: string
  readonly logprobs?: boolean
  readonly wire: Uint8Array
  readonly events: readonly ModelEvent[]
}

/** The turn all fixtures answer. */
export const fixtureTurn = ({ logprobs = false }: Pick<ResponsesFixture, 'logprobs'> = {}): ModelTurn => {
  const turn = chatTurn({ logprobs })
  return {
    ...turn,
    tools: [...turn.tools, { type: 'custom', name: 'run_sql', description: null, format: { type: 'text' } }],
  }
}

export const readFixtures = (): readonly ResponsesFixture[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => {
      const name = file.slice(0, -'.sse'.length)
      const expected: Omit<ResponsesFixture, 'name' | 'wire'> = JSON.parse(
        readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'),
      )
      return { ...expected, name, wire: readFileSync(new URL(file, FOLDER)) }
    })

/** The byte behind the terminal event: from here on a reply may end without an error. */
export function completeAt({ wire }: Pick<ResponsesFixture, 'wire'>): number {
  const text = Buffer.from(wire).toString('latin1')
  const terminal = text.search(/"type":"response\.(completed|incomplete)"/)
  return text.slice(0, text.indexOf('\n', terminal)).trimEnd().length
}

/** What the decoder makes of these bytes; events that came before a failure are in `out`. */
export function decodeWire(wire: Uint8Array, fixture: Pick<ResponsesFixture, 'logprobs'>, out: ModelEvent[] = []) {
  const turn = fixtureTurn(fixture)
  const error = { provider: 'test', model: turn.model, secrets: [], params: {} }
  const decoder = createResponsesDecoder({ turn, error })
  const sse = createSseDecoder((data, event) => decoder.data(data, event, out))
  sse.feed(wire)
  sse.end()
  decoder.end(out)
  return out
}
