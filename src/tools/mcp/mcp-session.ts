/**
 * The connection to one MCP server for one response: opened when it is first needed, never shared. Two clients on one
 * connection would get each other's answers, and two responses have different credentials.
 *
 * Invariant: every request ends within its time, whatever the server does. After one that did not end well the
 * connection is thrown away, because what still comes on it can belong to nothing any more.
 */
import type { Client, Transport } from '@modelcontextprotocol/client'
import type { Clock } from '../../lib/clock.ts'
import { createBoundedFetch } from './bounded-fetch.ts'
import { connectionLost, toMcpFailure, tooLarge, tooLate } from './mcp-failure.ts'
import type { McpLimits } from './mcp-settings.ts'
import type { McpTarget } from './mcp-target.ts'

export interface McpSession {
  /** Throws `McpFailure`, or the signal's reason. `method` and `params`: of the protocol. */
  request(method: 'tools/list' | 'tools/call', params: Record<string, unknown>, signal: AbortSignal): Promise<unknown>
  /** Ends it in the background. */
  close(): void
}

export type SessionParts = {
  readonly target: McpTarget
  readonly limits: McpLimits
  readonly clock: Clock
  readonly version: string
}

type Connection = {
  readonly client: Client
  /** Aborts with what broke it. */
  readonly broken: AbortController
  close(): Promise<void>
}

export function openMcpSession(parts: SessionParts): McpSession {
  let opening: Promise<Connection> | null = null
  const drop = () => {
    const dropped = opening
    opening = null
    dropped?.then((connection) => connection.close()).catch(() => {})
  }
  return {
    async request(method, params, signal) {
      const { timeoutMs } = parts.limits
      const late = new AbortController()
      const stop = parts.clock.after(timeoutMs, () => late.abort(tooLate(timeoutMs)), { keepsAlive: true })
      const ends = AbortSignal.any([signal, late.signal])
      try {
        opening ??= connect(parts)
        const connection = await untilAborted(opening, ends)
        return await send(connection, { method, params }, ends)
      } catch (error) {
        const failure = signal.aborted ? null : toMcpFailure(error)
        // An answer that says no is an answer; the connection is as good as before.
        if (failure?.error.type !== 'mcp_protocol_error') drop()
        throw failure ?? signal.reason
      } finally {
        stop()
      }
    },
    close: drop,
  }
}

async function send(
  { client, broken }: Connection,
  request: { readonly method: 'tools/list' | 'tools/call'; readonly params: Record<string, unknown> },
  ends: AbortSignal,
): Promise<unknown> {
  const lost = new AbortController()
  const all = AbortSignal.any([ends, broken.signal, lost.signal])
  const onRequestStreamEnd = () => lost.abort(connectionLost())
  return untilAborted(client.request(request, { signal: all, timeout: NEVER_MS, onRequestStreamEnd }), all)
}

/** The library's own clock, which is not ours; ours ends every request before. */
const NEVER_MS = 24 * 3600 * 1000

/** What the promise gives, or the signal's reason, whichever comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise
      .then(resolve, (error) => reject(signal.aborted ? signal.reason : error))
      .finally(() => {
        signal.removeEventListener('abort', onAbort)
      })
  })
}

const LEAVE_MS = 2_000

function untilLate(work: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.after(LEAVE_MS, resolve)
    void work.then(resolve).finally(stop)
  })
}

/** Streamable HTTP; where a server does not know it, the older SSE transport. */
async function connect(parts: SessionParts): Promise<Connection> {
  const { target } = parts
  if (target.type === 'stdio') return open(parts, async () => openStdio(target, parts.limits))
  try {
    return await open(parts, (onExcess) => openHttp(target, parts.limits, onExcess))
  } catch (error) {
    if (!KNOWS_SSE_ONLY.has(statusOf(error))) throw error
    return open(parts, (onExcess) => openSse(target, parts.limits, onExcess))
  }
}

/** What servers of the older transport answer to a POST that they do not expect. */
const KNOWS_SSE_ONLY: ReadonlySet<number> = new Set([400, 404, 405])
const statusOf = (error: unknown) =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 0

type Opened = { readonly transport: Transport; readonly leave?: () => Promise<void> }

async function open(
  { limits, version, clock }: SessionParts,
  openTransport: (onExcess: () => void) => Promise<Opened>,
): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/client')
  // No capabilities: a server that asks the user or the model something, or for files, is told that nobody is there.
  const client = new Client({ name: 'antiphon', version }, { capabilities: {}, inputRequired: { autoFulfill: false } })
  const broken = new AbortController()
  const { transport, leave } = await openTransport(() => broken.abort(tooLarge(limits.replyBytes)))
  client.onerror = () => {}
  try {
    await untilAborted(client.connect(transport, { timeout: limits.timeoutMs }), broken.signal)
  } catch (error) {
    await client.close().catch(() => {})
    throw error
  }
  client.onclose = () => broken.abort(connectionLost())
  return {
    client,
    broken,
    async close() {
      // A courtesy; a server that does not listen is left all the same.
      if (leave && !broken.signal.aborted)
        await untilLate(
          leave().catch(() => {}),
          clock,
        )
      await client.close()
    },
  }
}

type HttpTarget = Extract<McpTarget, { type: 'http' }>

const fetchFor = ({ guard, url, headers }: HttpTarget, { replyBytes }: McpLimits, onExcess: () => void) =>
  createBoundedFetch({ guard, origin: url.origin, headers, maxBytes: replyBytes, onExcess })

async function openHttp(target: HttpTarget, limits: McpLimits, onExcess: () => void): Promise<Opened> {
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const transport = new StreamableHTTPClientTransport(target.url, {
    fetch: fetchFor(target, limits, onExcess),
    reconnectionOptions: RECONNECT,
  })
  return { transport, leave: () => transport.terminateSession() }
}

/** A server may end a stream and go on in another; one that is gone is given up after a second or so. */
const RECONNECT = {
  initialReconnectionDelay: 200,
  maxReconnectionDelay: 1_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 2,
}

async function openSse(target: HttpTarget, limits: McpLimits, onExcess: () => void): Promise<Opened> {
  const { SSEClientTransport } = await import('@modelcontextprotocol/client')
  const fetch = fetchFor(target, limits, onExcess)
  return { transport: new SSEClientTransport(target.url, { fetch, eventSourceInit: { fetch } }) }
}

async function openStdio(target: Extract<McpTarget, { type: 'stdio' }>, limits: McpLimits): Promise<Opened> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio')
  const { command, args, env } = target
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    stderr: 'ignore',
    maxBufferSize: limits.replyBytes,
  })
  return { transport }
}
