/**
 * Before a sandbox is used, its own probes try to get out of it: at files, sockets and secrets that are made for them and
 * stand beside the server, and at everything they know of. One that reaches anything closes it.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SandboxSession, type SandboxTraits, SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import type { Channel } from './channel.ts'

export type Canaries = {
  /** Stands in the file, and in the environment of what starts the sandbox. */
  readonly secret: string
  readonly file: string
  readonly port: number
  readonly socket: string
  /** Of a socket without a file. */
  readonly name: string
  /** Whether anybody came. */
  readonly hits: () => number
  close(): Promise<void>
}

const PROBES = readFileSync(new URL('./probes.py', import.meta.url), 'utf8')
const MAX_SAID = 8_000
const WAY_OUT_MS = 3_000
/** Numbers of system calls by processor. */
const CALLS: Readonly<Record<string, object>> = { x64: { bpf: 321, keyctl: 250 }, arm64: { bpf: 280, keyctl: 219 } }

export async function plantCanaries(secret: string): Promise<Canaries> {
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-canary-'))
  const [file, socket, name] = [join(folder, 'secret'), join(folder, 'socket'), `antiphon-${secret}`]
  let hits = 0
  const servers: Server[] = []
  const listen = (where: { port: number; host: string } | { path: string }) => {
    const server = createServer((client) => {
      hits += 1
      client.destroy()
    })
    servers.push(server)
    return new Promise<Server>((resolve, reject) => {
      server.once('error', reject).listen(where, () => resolve(server.unref()))
    })
  }
  await writeFile(file, secret)
  const tcp = await listen({ host: '127.0.0.1', port: 0 })
  await listen({ path: socket })
  await listen({ path: `\0${name}` })
  const address = tcp.address()
  return {
    secret,
    file,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    socket,
    name,
    hits: () => hits,
    async close() {
      for (const server of servers) server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const hintsOf = ({ secret, file, port, socket, name }: Canaries) =>
  ({ secret, file, port, socket, name, pid: process.pid }) as const

const MAX_REPORT = 100_000

/** What probes said that are all of their container. Throws as `probeSession` does. */
export async function probeWall(channel: Channel, canaries: Canaries): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let said = ''
  const stop = setTimeout(() => channel.kill(), PROBE_LIMITS.wallMs)
  channel.onData((bytes) => {
    said = (said + bytes.toString('utf8')).slice(0, MAX_REPORT)
  })
  channel.onEnd(resolve)
  const problem = await promise
  clearTimeout(stop)
  const report = readReport(said)
  if (report === null)
    throw new SandboxUnavailable(`the self-test of its wall did not run to its end (${(problem || said).slice(-300)})`)
  refuseReached(report, canaries, [])
}

/** Throws `SandboxUnavailable` when anything was reached, or when the probes could not be run. */
export async function probeSession(
  session: SandboxSession,
  canaries: Canaries,
  { hasProcesses }: Pick<SandboxTraits, 'hasProcesses'>,
): Promise<{ readonly tried: number }> {
  const hints = { ...hintsOf(canaries), wasm: !hasProcesses, ...CALLS[process.arch] }
  const outOf = hasProcesses ? { tried: 0, reached: [] } : await tryWaysOut(session, hints)
  const pieces: Uint8Array[] = []
  const result = await session.run(`HINTS = ${toPython(hints)}\n${PROBES}`, {
    signal: new AbortController().signal,
    onOutput: (piece) => void (piece.type === 'stdout' && pieces.push(piece.bytes)),
  })
  const said = Buffer.concat(pieces).toString('utf8').trim()
  const report = readReport(said)
  if (result.status !== 'ok' || report === null)
    throw new SandboxUnavailable(`its self-test did not run to its end (${result.status}: ${said.slice(-300)})`)
  refuseReached(report, canaries, outOf.reached)
  return { tried: report.tried + outOf.tried }
}

type Report = { readonly tried: number; readonly reached: Readonly<Record<string, string>> }

function refuseReached(report: Report, canaries: Canaries, further: readonly string[]): void {
  const reached = Object.entries(report.reached).map(([probe, found]) => `${probe} (${found.slice(0, 100)})`)
  reached.push(...further)
  if (canaries.hits() > 0) reached.push(`${canaries.hits()} connections`)
  if (reached.length > 0)
    throw new SandboxUnavailable(`its self-test reached what it must not: ${reached.join(', ').slice(0, MAX_SAID)}`)
}

/** A text of JSON is one of Python, but for its constants. */
const toPython = (hints: object): string => `__import__("json").loads(${JSON.stringify(JSON.stringify(hints))})`

/** Out of WebAssembly, one after another: one that ends its process has reached nothing. */
async function tryWaysOut(session: SandboxSession, hints: object) {
  const ways = readFileSync(new URL('./wasm-probes.py', import.meta.url), 'utf8')
    .split(/^# ---- /m)
    .slice(1)
  const reached: string[] = []
  for (const way of ways) {
    const line = way.indexOf('\n')
    const pieces: Uint8Array[] = []
    await session.run(`HINTS = ${toPython(hints)}\n${way.slice(line + 1)}`, {
      signal: new AbortController().signal,
      wallMs: WAY_OUT_MS,
      onOutput: (piece) => void (piece.type === 'stdout' && pieces.push(piece.bytes)),
    })
    const said = /^REACHED.*$/m.exec(Buffer.concat(pieces).toString('utf8'))
    if (said) reached.push(`${way.slice(0, line)} (${said[0].slice(0, 100)})`)
  }
  return { tried: ways.length, reached }
}

function readReport(text: string): Report | null {
  try {
    const { tried, reached }: { tried?: unknown; reached?: unknown } = JSON.parse(text.split('\n').at(-1) ?? '')
    if (typeof tried !== 'number' || typeof reached !== 'object' || reached === null) return null
    return { tried, reached: Object.fromEntries(Object.entries(reached).map(([name, found]) => [name, String(found)])) }
  } catch {
    return null
  }
}

/** Small, and enough for the probes. */
export const PROBE_LIMITS: SessionLimits = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 256 * 1024 * 1024,
  diskBytes: 16 * 1024 * 1024,
  outputBytes: 1024 * 1024,
  processes: 32,
  files: 1_000,
}
