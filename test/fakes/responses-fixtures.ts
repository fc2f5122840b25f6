/** The recorded replies in test/fixtures/responses, and what tests need to replay them. */
import { readdirSync, readFileSync } from 'node:fs'
import { createSseDecoder } from '../../src/lib/sse-decode.ts'
import type { ModelEvent, ModelTurn } from '../../src/models/model.ts'
import { createResponsesDecoder } from '../../src/models/responses/decode-stream.ts'
import type { HostedToolSpec } from '../../src/protocol/hosted-tools.ts'
import { fixtureTurn as chatTurn } from './chat-fixtures.ts'

const FOLDER = new URL('../fixtures/responses/', import.meta.url)

export type ResponsesFixture = {
  readonly name: string
  readonly logprobs?: boolean
  /** Types of tools that the provider was asked to run. */
  readonly hosted?: readonly ('web_search' | 'code_interpreter' | 'file_search' | 'image_generation' | 'mcp')[]
  readonly wire: Uint8Array
  readonly events: readonly ModelEvent[]
}

export const HOSTED_TOOLS = {
  web_search: { type: 'web_search' },
  file_search: { type: 'file_search', vector_store_ids: ['vs_1'] },
  code_interpreter: { type: 'code_interpreter', container: { type: 'auto' } },
  image_generation: { type: 'image_generation', partial_images: 1 },
  mcp: { type: 'mcp', server_label: 'docs', server_url: 'https://mcp.example.com/x', authorization: 'a-secret' },
} as const satisfies Readonly<Record<string, HostedToolSpec>>

type TurnOf = Pick<ResponsesFixture, 'logprobs' | 'hosted'>

/** The turn all fixtures answer. */
export const fixtureTurn = ({ logprobs = false, hosted = [] }: TurnOf = {}): ModelTurn => {
  const turn = chatTurn({ logprobs })
  const tools = hosted.map((type) => HOSTED_TOOLS[type])
  return {
    ...turn,
    ...(tools.length > 0 && { hosted: { tools, allowed: null, maxCalls: null, include: [] } }),
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
export function decodeWire(wire: Uint8Array, fixture: TurnOf, out: ModelEvent[] = []) {
  const turn = fixtureTurn(fixture)
  const error = { provider: 'test', model: turn.model, secrets: [], params: {} }
  const decoder = createResponsesDecoder({ turn, error })
  const sse = createSseDecoder((data, event) => decoder.data(data, event, out))
  sse.feed(wire)
  sse.end()
  decoder.end(out)
  return out
}
