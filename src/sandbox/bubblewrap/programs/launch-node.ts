/** Starts a Node in bubblewrap; its standard streams are the line to it. */
import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Clock } from '../../../lib/clock.ts'
import type { ProgramLimits } from '../../program-sandbox.ts'
import { seccompProgram } from '../seccomp.ts'
import { NODE_FDS, nodeArguments, withLimits } from './node-arguments.ts'

export type NodeParts = {
  readonly bubblewrap: string
  readonly node: string
  readonly libraries: readonly string[]
  /** The user to become first; null: the one we are. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** Nothing of it may be seen inside. */
  readonly environment: Readonly<Record<string, string>>
}

export type ProcessEnd = { readonly code: number | null; readonly signal: string | null; readonly said: string }

export interface NodeProcess {
  write(text: string): void
  /** Behind its first line, by which it says that it is there. */
  onData(listener: (bytes: Buffer) => void): void
  readonly ended: Promise<ProcessEnd>
  /** As soon as it is there: bubblewrap that is killed while it sets up leaves a process behind that nothing ends. */
  kill(): void
}

const MAX_SAID_CHARS = 4_000
/** Until a process that was started says that it is there. */
const START_MS = 15_000

export function launchNode(parts: NodeParts, script: string, limits: ProgramLimits, clock: Clock): NodeProcess {
  const seccomp = seccompProgram(process.arch, { onlyProcess: true })
  const { node, libraries } = parts
  const inside = nodeArguments({ node, libraries, memoryBytes: limits.memoryBytes, hasSeccomp: seccomp !== null })
  const { file, args } = withLimits(parts.bubblewrap, inside, limits)
  const fds = Object.values(NODE_FDS).map(() => 'pipe' as const)
  const child = spawn(file, args, {
    cwd: '/',
    env: parts.environment,
    stdio: ['pipe', 'pipe', 'pipe', ...fds],
    ...(parts.user ?? {}),
  })
  const give = (fd: number, content: Uint8Array | string) => {
    const stream = child.stdio[fd]
    if (!isWritable(stream)) return
    stream.on('error', () => {})
    stream.end(content)
  }
  give(NODE_FDS.script, script)
  give(NODE_FDS.seccomp, seccomp ?? '')
  child.stdin?.on('error', () => {})
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, MAX_SAID_CHARS)
  })
  const { promise: ended, resolve } = Promise.withResolvers<ProcessEnd>()
  child.once('error', (error) => resolve({ code: null, signal: null, said: error.message }))
  child.once('close', (code, signal) => resolve({ code, signal, said }))
  const start = Promise.withResolvers<void>()
  const stop = clock.after(START_MS, start.resolve)
  const hasStarted = () => {
    stop()
    start.resolve()
  }
  void ended.then(hasStarted)
  return {
    write: (text) => void (child.stdin?.writable && child.stdin.write(text)),
    onData: (listener) => void child.stdout?.on('data', withoutFirstLine(hasStarted, listener)),
    ended,
    kill: () => void start.promise.then(() => child.kill('SIGKILL')),
  }
}

function withoutFirstLine(onFirst: () => void, listener: (bytes: Buffer) => void) {
  let isThere = false
  return (bytes: Buffer) => {
    if (isThere) return listener(bytes)
    const end = bytes.indexOf(10)
    if (end < 0) return
    isThere = true
    onFirst()
    if (end + 1 < bytes.length) listener(bytes.subarray(end + 1))
  }
}

const isWritable = (stream: unknown): stream is Writable =>
  typeof stream === 'object' && stream !== null && 'end' in stream && 'write' in stream
