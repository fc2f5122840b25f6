/** Closed-loop load: each connection sends its next request when the last reply is whole and was found right. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, openConnection, type Reply } from './raw-client.ts'

export type Load = {
  readonly port: number
  readonly concurrency: number
  /** No request starts after this; those in flight are awaited. */
  readonly durationMs: number
  /** At most so many requests by all connections together. */
  readonly maxRequests?: number
  /** At most so many by all together, evenly; absent: as fast as replies come. */
  readonly perSecond?: number
  readonly request: Buffer
  /** Throws when the reply is not exactly what it must be. */
  readonly check: (reply: Reply) => void
  readonly onText?: (text: string) => void
}

export type LoadResult = {
  readonly requests: number
  readonly elapsedMs: number
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[]
}

export async function runLoad(load: Load): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: load.concurrency }, () => openConnection(load.port)))
  const latencies: number[] = []
  const start = performance.now()
  const budget = { left: load.maxRequests ?? Number.POSITIVE_INFINITY, until: start + load.durationMs }
  try {
    await Promise.all(
      connections.map((connection, index) => keepSending(connection, load, budget, latencies, createBeat(load, index))),
    )
  } finally {
    for (const connection of connections) connection.close()
  }
  const elapsedMs = performance.now() - start
  return { requests: latencies.length, elapsedMs, latencies: latencies.sort((a, b) => a - b) }
}

async function keepSending(
  connection: Connection,
  load: Load,
  budget: { left: number; readonly until: number },
  latencies: number[],
  beat: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await beat()
    if (budget.left <= 0 || performance.now() >= budget.until) return
    budget.left -= 1
    const sent = performance.now()
    const reply = await connection.send(load.request, load.onText)
    latencies.push(performance.now() - sent)
    load.check(reply)
  }
}

/** Waits until a connection's turn. Who is late does not hurry afterwards. */
function createBeat({ concurrency, perSecond }: Load, index: number): () => Promise<void> {
  if (perSecond === undefined) return async () => {}
  const gapMs = (concurrency * 1000) / perSecond
  let next = performance.now() + (gapMs * index) / concurrency
  return async () => {
    const waitMs = next - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    next = Math.max(next, performance.now() - gapMs) + gapMs
  }
}

/** `values` ascending, `share` in [0, 1]. */
export function quantile(values: readonly number[], share: number): number {
  const value = values[Math.min(values.length - 1, Math.floor(values.length * share))]
  if (value === undefined) throw new Error('no values were measured')
  return value
}

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
