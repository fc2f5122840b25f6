/** What clients of a long-running server do, in a mix: JSON and streams, stored or not, chains, leaving, failing upstreams. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { checkWhole, idIn, openExchange, terminalOf } from './exchange.ts'
import { modelOf, textOf } from './load-upstream.ts'

type Server = { readonly url: string; readonly apiKey: string }

export const KINDS = ['json', 'stored json', 'stream', 'stored stream', 'chained', 'left', 'fault'] as const
export type Kind = (typeof KINDS)[number]

export type Mix = {
  /** One request of a random kind, from its start to its end. Rejects when the reply is not what it must be. */
  sendOne(): Promise<void>
  readonly counts: Readonly<Record<Kind, number>>
}

const LEFT_SHARE = 0.1
const FAULT_SHARE = 0.05
const TOKENS = 30
const MAX_LEAVE_MS = 120
/** Ends of chains that may be gone on from, and how long a chain may get. */
const MAX_OPEN_CHAINS = 100
const MAX_CHAIN = 5

const load = (pace: Parameters<typeof modelOf>[0]) => `load/${modelOf(pace)}`
const AT_ONCE = load({ tokens: TOKENS })
const PACED = load({ tokens: TOKENS, gapMs: 3 })
const LONG = load({ tokens: 2_000, gapMs: 5 })
const FAULTY = (['refused', 'cut', 'garbage'] as const).map((fault) => load({ tokens: TOKENS, fault }))
const EXPECTED = textOf(TOKENS)

export function createMix(server: Server, random: () => number): Mix {
  const counts = { json: 0, 'stored json': 0, stream: 0, 'stored stream': 0, chained: 0, left: 0, fault: 0 }
  const chains: { readonly id: string; readonly length: number }[] = []
  const isOneIn = (share: number) => random() < share
  const goOn = (id: string, length: number) => {
    if (length < MAX_CHAIN && chains.length < MAX_OPEN_CHAINS) chains.push({ id, length })
  }
  const choose = (): Kind => {
    if (isOneIn(LEFT_SHARE)) return 'left'
    if (isOneIn(FAULT_SHARE)) return 'fault'
    const kind = KINDS[Math.floor(random() * 5)] ?? 'json'
    return kind === 'chained' && chains.length === 0 ? 'stored json' : kind
  }
  return {
    counts,
    async sendOne() {
      const kind = choose()
      counts[kind] += 1
      const stream = kind === 'stream' || kind === 'stored stream' || isOneIn(0.5)
      const store = kind !== 'stream' && kind !== 'json'
      if (kind === 'left') return leave(server, { stream, store: isOneIn(0.5), afterMs: random() * MAX_LEAVE_MS })
      if (kind === 'fault') return fail(server, FAULTY[Math.floor(random() * FAULTY.length)] ?? '', stream)
      const parent = kind === 'chained' ? chains.shift() : undefined
      const id = await succeed(server, { stream, store, previous: parent?.id ?? null })
      if (store) goOn(id, (parent?.length ?? 0) + 1)
    },
  }
}

type Wish = { readonly stream: boolean; readonly store: boolean; readonly previous: string | null }

/** Answers the id of the response. */
async function succeed(server: Server, { stream, store, previous }: Wish): Promise<string> {
  const input = 'Tell me thirty words, please.'
  const body = { model: stream ? PACED : AT_ONCE, input, stream, store, previous_response_id: previous }
  const exchange = openExchange(server, body)
  const end = await exchange.ended
  assert.equal(end, 'whole', exchange.story())
  assert.equal(exchange.status(), 200, exchange.text())
  if (stream) checkWhole(exchange.text(), EXPECTED)
  else assert.ok(exchange.text().includes(JSON.stringify(EXPECTED)), exchange.text())
  return idIn(exchange.text())
}

async function leave(server: Server, { stream, store, afterMs }: { stream: boolean; store: boolean; afterMs: number }) {
  const exchange = openExchange(server, { model: LONG, input: 'I will not stay.', stream, store })
  await delay(afterMs)
  exchange.leave(afterMs % 2 < 1 ? 'fin' : 'rst')
  await exchange.ended
}

async function fail(server: Server, model: string, stream: boolean): Promise<void> {
  const exchange = openExchange(server, { model, input: 'This will fail.', stream, store: true })
  const end = await exchange.ended
  assert.equal(end, 'whole', exchange.story())
  if (stream && exchange.status() === 200) assert.equal(terminalOf(exchange.text()).type, 'response.failed')
  else assert.ok(exchange.status() >= 500 && exchange.status() < 505, `${exchange.status()} ${exchange.text()}`)
}
