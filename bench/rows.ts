/** What is measured. A row gives figures for one target in one window; the table sets them beside the row's floor. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openHttpChain, openSocketChain, runChain } from './chain.ts'
import { type LoadResult, quantile, runLoad } from './load.ts'
import { cpuMicros, residentKib } from './process-cost.ts'
import { buildRequest, openConnection, type Reply } from './raw-client.ts'
import { PACES, STREAM_TOKENS, sharedMicros } from './replies.ts'
import {
  agentFields,
  checkPaced,
  checkPlain,
  checkStream,
  createRequest,
  directRequest,
  getRequest,
} from './requests.ts'
import type { Target, TargetName } from './targets.ts'

/** `ratio`: against the floor of the same round. `value`: an absolute limit. */
export type Goal = { readonly of: 'ratio' | 'value'; readonly atMost?: number; readonly atLeast?: number }
export type Figure = { readonly name: string; readonly unit: string; readonly goal: Goal | null }
export type Window = { readonly durationMs: number; readonly short: boolean; readonly upstreamPort: number }
export type Row = {
  readonly name: string
  readonly floor: TargetName
  readonly figures: readonly Figure[]
  /** Left out of a short run, because a round of it takes seconds. */
  readonly long?: true
  /** At most so many rounds, where one takes very long. */
  readonly maxRounds?: number
  /** One number per figure, in their order. */
  readonly measure: (target: Target, window: Window) => Promise<number[]>
}

const figure = (name: string, unit: string, goal: Goal | null = null): Figure => ({ name, unit, goal })
const ratioAtMost = (atMost: number): Goal => ({ of: 'ratio', atMost })
const ratioAtLeast = (atLeast: number): Goal => ({ of: 'ratio', atLeast })

export const isCpu = ({ name }: Figure) => name === 'CPU'

const PLAIN_FIELDS = { input: 'Say something about a river.', store: false }
const STORED_FIELDS = { ...PLAIN_FIELDS, store: true }

export const ROWS: readonly Row[] = [
  {
    name: 'plain JSON, c=1',
    floor: 'floor',
    figures: [figure('added p50', 'us', ratioAtMost(2))],
    measure: measureAdded,
  },
  plainRow(16),
  plainRow(64),
  {
    // A floor that is never idle reads many requests at one waking; at one rate both are woken as often.
    name: 'plain JSON, 1,000 a second',
    floor: 'floor',
    figures: [figure('CPU', 'us/req')],
    measure: (target, window) => measureJson(target, window, 16, PLAIN_FIELDS, ['cpu'], 1000),
  },
  {
    name: 'stored JSON, c=64',
    floor: 'floor-sqlite',
    figures: [figure('rate', 'req/s', ratioAtLeast(0.8)), figure('CPU', 'us/req')],
    measure: (target, window) => measureJson(target, window, 64, STORED_FIELDS, ['rate', 'cpu']),
  },
  {
    name: 'agent request of 33 KB, c=16',
    floor: 'floor',
    figures: [figure('CPU', 'us/req', ratioAtMost(1.8))],
    measure: (target, window) => measureJson(target, window, 16, agentFields(), ['cpu']),
  },
  {
    name: '1 MB of text, c=2',
    floor: 'floor',
    figures: [figure('CPU', 'us/req', ratioAtMost(1.5))],
    measure: (target, window) =>
      measureJson(target, window, 2, { input: 'word '.repeat(200_000), store: false }, ['cpu']),
  },
  streamRow('full-speed streams, n=64', PLAIN_FIELDS, 0.6),
  streamRow('full-speed streams, stored, n=64', STORED_FIELDS, 0.55),
  {
    name: '256 paced streams, a token every 20 ms',
    floor: 'floor',
    figures: [figure('delay p50', 'us', ratioAtMost(1.5)), figure('delay p99', 'us', ratioAtMost(1.5))],
    measure: measurePaced,
  },
  { ...slowRow(1_000), maxRounds: 5 },
  { ...slowRow(5_000), maxRounds: 2 },
  {
    name: 'calm streams, 5,000 at once, a token a second',
    floor: 'floor',
    long: true,
    maxRounds: 2,
    figures: [figure('delay p99', 'us', ratioAtMost(1.5)), figure('CPU', 'us/token', ratioAtMost(1.5))],
    measure: measureCalm,
  },
  {
    name: 'GET by id, c=16',
    floor: 'floor-sqlite',
    figures: [figure('rate', 'req/s', ratioAtLeast(0.5)), figure('CPU', 'us/req')],
    measure: measureGet,
  },
  {
    name: 'chain by previous_response_id',
    floor: 'floor',
    figures: [figure('growth', 'us/turn', { of: 'value', atMost: 4 })],
    measure: (target, window) => measureChain(target, window, openHttpChain),
  },
  {
    // The floor has no WebSocket: beside it stands its chain over HTTP, with the history in memory.
    name: 'chain over WebSocket, unstored',
    floor: 'floor',
    figures: [figure('growth', 'us/turn', { of: 'value', atMost: 4 })],
    measure: (target, window) =>
      measureChain(target, window, target.name.startsWith('floor') ? openHttpChain : openSocketChain),
  },
]

async function measureChain(target: Target, window: Window, open: typeof openHttpChain): Promise<number[]> {
  const { upstreamPort, short } = window
  return [await runChain(open, target, { upstreamPort, turns: short ? 60 : 200 })]
}

function plainRow(concurrency: number): Row {
  return {
    name: `plain JSON, c=${concurrency}`,
    floor: 'floor',
    figures: [figure('CPU', 'us/req', ratioAtMost(2)), figure('rate', 'req/s')],
    measure: (target, window) => measureJson(target, window, concurrency, PLAIN_FIELDS, ['cpu', 'rate']),
  }
}

function streamRow(name: string, fields: object, atLeast: number): Row {
  return {
    name,
    floor: 'floor',
    figures: [figure('rate', 'tokens/s', ratioAtLeast(atLeast)), figure('CPU', 'us/token')],
    measure: (target, window) => measureStreams(target, window, fields),
  }
}

async function costOf(target: Target, load: () => Promise<LoadResult>) {
  const before = cpuMicros(target.pid)
  const result = await load()
  return { ...result, cpu: cpuMicros(target.pid) - before, perSecond: (result.requests / result.elapsedMs) * 1000 }
}

async function measureJson(
  target: Target,
  window: Window,
  concurrency: number,
  fields: object,
  wanted: readonly ('cpu' | 'rate')[],
  perSecond?: number,
): Promise<number[]> {
  const request = createRequest(target, 'plain', fields)
  const { port } = target
  const result = await costOf(target, () =>
    runLoad({
      port,
      concurrency,
      durationMs: window.durationMs,
      request,
      check: checkPlain,
      ...(perSecond && { perSecond }),
    }),
  )
  return wanted.map((it) => (it === 'cpu' ? result.cpu / result.requests : result.perSecond))
}

async function measureStreams(target: Target, window: Window, fields: object): Promise<number[]> {
  const request = createRequest(target, 'stream', { ...fields, stream: true })
  const result = await costOf(target, () =>
    runLoad({ port: target.port, concurrency: 64, durationMs: window.durationMs, request, check: checkStream }),
  )
  const tokens = STREAM_TOKENS.length
  return [result.perSecond * tokens, result.cpu / (result.requests * tokens)]
}

/** The median of one request at a time, less what the upstream alone takes in the same window. */
async function measureAdded(target: Target, window: Window): Promise<number[]> {
  const halfMs = window.durationMs / 2
  const one = { concurrency: 1, durationMs: halfMs }
  const direct = directRequest([{ role: 'user', content: PLAIN_FIELDS.input }])
  const check = (reply: Reply) => {
    if (reply.status !== 200 || !reply.body.endsWith('[DONE]\n\n')) throw new Error('the upstream failed')
  }
  const upstream = await runLoad({ ...one, port: window.upstreamPort, request: direct, check })
  const request = createRequest(target, 'plain', PLAIN_FIELDS)
  const through = await runLoad({ ...one, port: target.port, request, check: checkPlain })
  return [(quantile(through.latencies, 0.5) - quantile(upstream.latencies, 0.5)) * 1000]
}

/** The upstream writes its clock into each token; the delay is how much later it is when the token is here. */
async function delaysOf(target: Target, pace: 'paced' | 'slow', streams: number): Promise<number[]> {
  const delays: number[] = []
  const onText = (text: string) => {
    const now = sharedMicros()
    for (const [, sent] of text.matchAll(/"delta":"(\d+) "/g)) delays.push(now - Number(sent))
  }
  const { tokens } = PACES[pace]
  const request = createRequest(target, pace, { ...PLAIN_FIELDS, stream: true })
  const check = (reply: Reply) => checkPaced(reply, tokens)
  const once = { concurrency: streams, durationMs: 60_000, maxRequests: streams }
  await runLoad({ ...once, port: target.port, request, check, onText })
  if (delays.length !== streams * tokens) throw new Error(`${delays.length} of ${streams * tokens} tokens came`)
  return delays.sort((a, b) => a - b)
}

async function measurePaced(target: Target, window: Window): Promise<number[]> {
  const delays = await delaysOf(target, 'paced', window.short ? 64 : 256)
  return [quantile(delays, 0.5), quantile(delays, 0.99)]
}

function slowRow(streams: number): Row {
  return {
    name: `${streams.toLocaleString('en-US')} slow streams, a token every 200 ms`,
    floor: 'floor',
    long: true,
    figures: [figure('memory', 'KiB/stream', { of: 'value', atMost: 60 }), figure('delay p99', 'us', ratioAtMost(1.5))],
    measure: (target) => measureSlow(target, streams),
  }
}

async function measureSlow(target: Target, streams: number): Promise<number[]> {
  const idle = residentKib(target.pid)
  let peak = idle
  const watch = setInterval(() => {
    peak = Math.max(peak, residentKib(target.pid))
  }, 250)
  try {
    const delays = await delaysOf(target, 'slow', streams)
    return [(peak - idle) / streams, quantile(delays, 0.99)]
  } finally {
    clearInterval(watch)
  }
}

/** Streams that were opened one after the other and all run: what a token costs and waits, without any beginning. */
async function measureCalm(target: Target): Promise<number[]> {
  const [streams, openingMs, restMs, windowMs] = [5_000, 12_000, 1_000, 5_000]
  const delays: number[] = []
  let counts = false
  const onText = (text: string) => {
    const now = sharedMicros()
    if (counts) for (const [, sent] of text.matchAll(/"delta":"(\d+) "/g)) delays.push(now - Number(sent))
  }
  const request = createRequest(target, 'calm', { ...PLAIN_FIELDS, stream: true })
  const one = async (index: number) => {
    await sleep((index * openingMs) / streams)
    const connection = await openConnection(target.port)
    checkPaced(await connection.send(request, onText), PACES.calm.tokens)
    connection.close()
  }
  const all = Promise.all(Array.from({ length: streams }, (_, index) => one(index)))
  const watched = (async () => {
    await sleep(openingMs + restMs)
    counts = true
    const before = cpuMicros(target.pid)
    await sleep(windowMs)
    counts = false
    return cpuMicros(target.pid) - before
  })()
  const [cpu] = await Promise.all([watched, all])
  return [
    quantile(
      delays.sort((a, b) => a - b),
      0.99,
    ),
    cpu / delays.length,
  ]
}

async function measureGet(target: Target, window: Window): Promise<number[]> {
  const connection = await openConnection(target.port)
  const id = checkPlain(await connection.send(createRequest(target, 'plain', STORED_FIELDS)))
  connection.close()
  const request = getRequest(target, id)
  const load = { port: target.port, concurrency: 16, durationMs: window.durationMs, request, check: checkPlain }
  const { perSecond, cpu, requests } = await costOf(target, () => runLoad(load))
  return [perSecond, cpu / requests]
}

/** Cold start in milliseconds and of CPU time, and MiB resident after a first request and a second of rest. */
export async function measureStart(target: Target): Promise<number[]> {
  const cpu = cpuMicros(target.pid) / 1000
  const connection = await openConnection(target.port)
  await connection.send(buildRequest('GET', '/health', target.headers))
  connection.close()
  await sleep(1000)
  return [target.startMs, cpu, residentKib(target.pid) / 1024]
}

export const START_FIGURES: readonly Figure[] = [
  figure('cold start', 'ms', ratioAtMost(2)),
  figure('CPU', 'ms'),
  figure('idle memory', 'MiB', { of: 'value', atMost: 110 }),
]
