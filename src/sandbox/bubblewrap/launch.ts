/** Starts bubblewrap with a supervisor in it; its standard streams are the channel. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import { bubblewrapArguments, DATA_FDS, GROUP, PASSWD } from './arguments.ts'
import { seccompProgram } from './seccomp.ts'

export type LaunchParts = {
  readonly bubblewrap: string
  readonly python: string
  /** The user to become first; null: the one we are. */
  readonly user: { readonly uid: number; readonly gid: number } | null
  /** Nothing of it may be seen inside. */
  readonly environment: Readonly<Record<string, string>>
}

const SUPERVISOR = readFileSync(new URL('./python/supervisor.py', import.meta.url))
const INTERPRETER = readFileSync(new URL('./python/interpreter.py', import.meta.url))
const MAX_PROBLEM_CHARS = 500

export function launch(parts: LaunchParts, limits: SessionLimits): Channel {
  const seccomp = seccompProgram(process.arch)
  const args = bubblewrapArguments({ python: parts.python, limits, hasSeccomp: seccomp !== null })
  const fds = Object.values(DATA_FDS).map(() => 'pipe' as const)
  const child = spawn(parts.bubblewrap, args, {
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
  give(DATA_FDS.supervisor, SUPERVISOR)
  give(DATA_FDS.interpreter, INTERPRETER)
  give(DATA_FDS.passwd, PASSWD)
  give(DATA_FDS.group, GROUP)
  give(DATA_FDS.seccomp, seccomp ?? '')
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
