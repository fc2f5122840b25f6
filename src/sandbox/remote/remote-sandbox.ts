/**
 * Containers of another machine: `antiphon sandbox serve` starts them there, with the sandbox and the self-test of that
 * machine. One connection is one container; it ends with the connection, whoever closes it.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../lib/clock.ts'
import { type Sandbox, SandboxError, type SandboxTraits, SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import { type ContainerHost, sandboxOf } from '../session/sandbox-of-host.ts'
import { LIMITS_HEADER, PATH, PROTOCOL, readTraits, TRAITS_HEADER } from './wire.ts'

export type RemoteOptions = {
  readonly url: string
  readonly token: string
  readonly clock: Clock
}

/** Its first container waits for its self-test. */
const CONNECT_MS = 30_000
const KEEP_ALIVE_MS = 15_000
const MAX_SAID = 2_000

/** What the worker said last; until it has said anything, all of it. */
type Told = { traits: SandboxTraits }

export function createRemoteSandbox(options: RemoteOptions): Sandbox {
  const told: Told = { traits: { hasProcesses: true, hasPackages: true } }
  const host: ContainerHost = {
    name: 'remote',
    traits: async () => told.traits,
    launch: (limits, signal) => connect({ ...options, told }, limits, signal),
  }
  return sandboxOf(host, options.clock)
}

type ConnectOptions = RemoteOptions & { readonly told: Told }

function connect(options: ConnectOptions, limits: SessionLimits, signal: AbortSignal): Promise<Channel> {
  const { url, token, clock, told } = options
  const { promise, resolve, reject } = Promise.withResolvers<Channel>()
  const address = new URL(PATH, `${url}/`)
  const ask = address.protocol === 'https:' ? requestHttps : requestHttp
  const request = ask(address, {
    agent: false,
    headers: {
      connection: 'upgrade',
      upgrade: PROTOCOL,
      authorization: `Bearer ${token}`,
      [LIMITS_HEADER]: JSON.stringify(limits),
    },
  })
  // Only until it is connected: a container lives longer than who asked for it first.
  const leave = () => request.destroy(new Error('nobody waits for it any more'))
  signal.addEventListener('abort', leave, { once: true })
  const cancel = clock.after(CONNECT_MS, () => request.destroy(new Error('it did not answer in time')))
  const stop = () => {
    cancel()
    signal.removeEventListener('abort', leave)
  }
  request.on('upgrade', ({ headers }, socket, head) => {
    stop()
    const said = headers[TRAITS_HEADER]
    told.traits = readTraits(typeof said === 'string' ? said : undefined) ?? told.traits
    resolve(channelOf(socket, head))
  })
  request.on('response', (response) => {
    stop()
    void refusal(response).then(reject, reject)
  })
  request.on('error', (error) => {
    stop()
    reject(signal.aborted ? signal.reason : new SandboxError(`The sandbox at ${address.host}: ${error.message}.`))
  })
  request.end()
  return promise
}

/** What it says is for the operator of both. A busy worker may be free later, one without a sandbox will not. */
async function refusal(response: IncomingMessage): Promise<Error> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text = (text + chunk).slice(0, MAX_SAID)
  const said = text.replace(/\s+/g, ' ').trim() || `status ${response.statusCode}`
  if (response.statusCode === 429) return new SandboxError(`The sandbox has no room: ${said}`)
  return new SandboxUnavailable(`the sandbox at ${response.socket.remoteAddress ?? 'its address'} refuses it: ${said}`)
}

function channelOf(socket: Duplex, head: Buffer): Channel {
  if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, KEEP_ALIVE_MS)
  if (head.length > 0) socket.unshift(head)
  return {
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    onData: (listener) => void socket.on('data', listener),
    onEnd(listener) {
      socket.on('error', () => {})
      socket.once('close', () => listener(''))
    },
    kill: () => void socket.destroy(),
  }
}
