/**
 * Code in a Python of this machine, behind the namespaces of bubblewrap: without network, environment, capabilities, and
 * with nothing to write to but memory of its own. The first session waits for the self-test.
 */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { type Sandbox, SandboxError, SandboxUnavailable } from '../sandbox.ts'
import { type ContainerHost, sandboxOf } from '../session/sandbox-of-host.ts'
import { PROBE_LIMITS, plantCanaries, probeSession } from '../session/self-test.ts'
import { openSession } from '../session/session.ts'
import { type LaunchParts, launch } from './launch.ts'

export type BubblewrapOptions = {
  readonly clock: Clock
  /** Unguessable, for the canaries of the self-test. */
  readonly secret: string
  readonly python: string
  /** Null: the one that is found in PATH. */
  readonly bubblewrap: string | null
}

/** Who runs it when we are root: limits count for others only. */
const NOBODY = { uid: 65_534, gid: 65_534 }
const RETEST_MS = 60_000
const CANARY = 'ANTIPHON_CANARY'

export const createBubblewrapSandbox = (options: BubblewrapOptions): Sandbox =>
  sandboxOf(createBubblewrapHost(options), options.clock)

export function createBubblewrapHost(options: BubblewrapOptions): ContainerHost {
  let tested: Promise<LaunchParts> | null = null
  /** What failed may have been mended, or the machine too busy; but it is not tried by every request. */
  const testOnce = (): Promise<LaunchParts> => {
    if (tested !== null) return tested
    const testing = test(options)
    tested = testing
    const forget = () => {
      tested = null
    }
    testing.catch(() => options.clock.after(RETEST_MS, forget))
    return testing
  }
  return {
    name: 'bubblewrap',
    async launch(limits, signal) {
      const parts = await testOnce()
      signal.throwIfAborted()
      return launch(parts, limits)
    },
  }
}

/** What a session is started with, once the probes have reached nothing. */
async function test(options: BubblewrapOptions): Promise<LaunchParts> {
  const found = find(options)
  const parts = { ...found, environment: {} }
  const canaries = await plantCanaries(options.secret)
  try {
    const watched = { ...parts, environment: { [CANARY]: options.secret } }
    const channel = launch(watched, PROBE_LIMITS)
    const session = await openSession({ channel, clock: options.clock, limits: PROBE_LIMITS })
    try {
      await probeSession(session, canaries)
    } finally {
      session.close()
    }
    return parts
  } catch (error) {
    if (error instanceof SandboxError) throw new SandboxUnavailable(`${error.message} ${ADVICE}`, { cause: error })
    throw error
  } finally {
    await canaries.close()
  }
}

const ADVICE =
  'bubblewrap needs user namespaces that are allowed to everybody: see docs/code-interpreter.md for containers and ' +
  'AppArmor, or run `antiphon sandbox serve` on another machine.'

function find({ bubblewrap, python }: BubblewrapOptions): Omit<LaunchParts, 'environment'> {
  if (process.platform !== 'linux')
    throw new SandboxUnavailable('bubblewrap is a program of Linux; run `antiphon sandbox serve` on a Linux machine')
  const program = bubblewrap ?? findProgram('bwrap')
  if (program === null || !existsSync(program))
    throw new SandboxUnavailable('bubblewrap is not installed; on Debian and Ubuntu: apt-get install bubblewrap')
  if (!python.startsWith('/usr/'))
    throw new SandboxUnavailable(`the Python at ${python} cannot be seen in a container; name one below /usr`)
  if (!existsSync(python))
    throw new SandboxUnavailable(`there is no Python at ${python}; on Debian and Ubuntu: apt-get install python3`)
  return { bubblewrap: program, python, user: process.getuid?.() === 0 ? NOBODY : null }
}

function findProgram(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (folder !== '' && isExecutable(path)) return path
  }
  return null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
