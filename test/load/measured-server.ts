/**
 * The whole server in a process of its own that says over IPC what it holds: the product needs no debugging door for it.
 * Run it with `--expose-gc`; the configuration file is its argument.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import { createApp } from '../../src/app.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'

export type Measured = {
  /** After garbage collection, without what V8 keeps free. */
  readonly heapBytes: number
  /** Buffers outside of the heap. */
  readonly externalBytes: number
  readonly rssBytes: number
  /** Of the whole process so far, in microseconds. */
  readonly cpuMicros: number
  /** Since the last measurement. */
  readonly loopDelayP99Ms: number
  readonly loopDelayMaxMs: number
  /** Handles and requests that keep the loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>
}

/** Below it a delay is not seen, and it is part of each one. */
const RESOLUTION_MS = 10
const RESET_MS = 50
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

function measure(): Measured {
  const loopDelayP99Ms = delays.percentile(99) / 1e6 - RESOLUTION_MS
  const loopDelayMaxMs = delays.max / 1e6 - RESOLUTION_MS
  // Twice, because what the first one finalizes only the second one frees.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    cpuMicros: user + system,
    loopDelayP99Ms,
    loopDelayMaxMs,
    resources,
  }
}

async function start(file: string) {
  const { env } = process
  const resolved = await resolveConfig({
    flags: new Map(),
    file,
    noAuth: false,
    env: { PORT: '0', ANTIPHON_API_KEY: env.ANTIPHON_API_KEY, ANTIPHON_DATA_DIR: env.ANTIPHON_DATA_DIR },
    providers: PROVIDER_CATALOG,
    cwd: process.cwd(),
    home: process.cwd(),
  })
  if (resolved.type === 'problems') throw new Error(resolved.problems.map(({ message }) => message).join('\n'))
  const app = await createApp(resolved.config)
  const { url } = await app.listen()
  return { app, url }
}

const { app, url } = await start(process.argv[2] ?? '')
delays.enable()
process.on('message', (message) => {
  if (message === 'measure') {
    process.send?.(measure())
    // The pause of the collection itself is not the server's.
    setTimeout(() => delays.reset(), RESET_MS)
    return
  }
  void app[Symbol.asyncDispose]().then(() => process.disconnect())
})
// Also when the test that started this has died.
process.on('disconnect', () => process.exit(0))
process.send?.({ url })
