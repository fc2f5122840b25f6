/** Starts bubblewrap with a supervisor in it; its standard streams are the channel. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import { bubblewrapArguments, DATA_FDS, GROUP, PASSWD } from './arguments.ts'
import { PYODIDE_FDS, pyodideArguments } from './pyodide-arguments.ts'
import { seccompProgram } from './seccomp.ts'

export type LaunchParts = {
  readonly bubblewrap: string
  /** The user to become first; null: the one we are. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** Nothing of it may be seen inside. */
  readonly environment: Readonly<Record<string, string>>
}

const asset = (path: string) => readFileSync(new URL(path, import.meta.url))
const MAX_PROBLEM_CHARS = 500

let files: { readonly supervisor: Buffer; readonly interpreter: Buffer } | null = null

/** A container with the Python of this machine. */
export function launch(parts: LaunchParts & { readonly python: string }, limits: SessionLimits): Channel {
  files ??= { supervisor: asset('./python/supervisor.py'), interpreter: asset('./python/interpreter.py') }
  const seccomp = seccompProgram(process.arch)
  const args = bubblewrapArguments({ python: parts.python, limits, hasSeccomp: seccomp !== null })
  return start(parts, args, contents(DATA_FDS, { ...files, ...COMMON, seccomp: seccomp ?? '' }))
}

let wasmFiles: Readonly<Record<'supervisor' | 'interpreter' | 'cells', Buffer>> | null = null

export type PyodideParts = LaunchParts & { readonly node: string; readonly pyodide: string }

/** A container with a Python of its own, in the Node of this program. */
export function launchPyodide(parts: PyodideParts, limits: SessionLimits): Channel {
  return startPyodide(parts, limits, {})
}

/** The same container with probes of its wall in the place of the supervisor; they look for `hints`, and say what they found. */
export function launchWallProbes(parts: PyodideParts, limits: SessionLimits, hints: object): Channel {
  return startPyodide(parts, limits, { supervisor: asset('./wasm/wall-probes.mjs'), hints })
}

function startPyodide(
  parts: PyodideParts,
  limits: SessionLimits,
  { supervisor, hints }: { readonly supervisor?: Buffer; readonly hints?: object },
): Channel {
  wasmFiles ??= {
    supervisor: asset('./wasm/supervisor.mjs'),
    interpreter: asset('./wasm/interpreter.mjs'),
    cells: asset('./wasm/cells.py'),
  }
  const seccomp = seccompProgram(process.arch)
  const { node, pyodide } = parts
  const args = pyodideArguments({ node, pyodide, limits, hasSeccomp: seccomp !== null, ...(hints && { hints }) })
  const files = { ...wasmFiles, ...(supervisor && { supervisor }) }
  return start(parts, args, contents(PYODIDE_FDS, { ...files, ...COMMON, seccomp: seccomp ?? '' }))
}

type Content = readonly [fd: number, content: Uint8Array | string]

const COMMON = { passwd: PASSWD, group: GROUP }

const contents = <N extends string>(
  fds: Readonly<Record<N, number>>,
  given: Readonly<Record<NoInfer<N>, Uint8Array | string>>,
): readonly Content[] =>
  Object.entries<Uint8Array | string>(given).map(([name, content]) => [Reflect.get(fds, name), content])

function start({ bubblewrap, environment, user }: LaunchParts, args: readonly string[], data: readonly Content[]) {
  const child = spawn(bubblewrap, args, {
    cwd: '/',
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe', ...data.map(() => 'pipe' as const)],
    ...(user ?? {}),
  })
  for (const [fd, content] of data) {
    const stream = child.stdio[fd]
    if (!isWritable(stream)) continue
    stream.on('error', () => {})
    stream.end(content)
  }
  return channelOf(child)
}

function channelOf(child: ChildProcess): Channel {
  let problem = ''
  let isOver = false
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    problem = (problem + text).slice(0, MAX_PROBLEM_CHARS)
  })
  child.stdin?.on('error', () => {})
  return {
    write: (bytes) => void (child.stdin?.writable && child.stdin.write(bytes)),
    onData: (listener) => void child.stdout?.on('data', listener),
    onEnd(listener) {
      const end = (message: string) => {
        if (isOver) return
        isOver = true
        listener(message.trim().replace(/\s+/g, ' '))
      }
      child.once('error', (error) => end(error.message))
      child.once('close', () => end(problem))
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

const isWritable = (stream: unknown): stream is Writable =>
  typeof stream === 'object' && stream !== null && 'end' in stream && 'write' in stream
