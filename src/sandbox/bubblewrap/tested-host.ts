/** What starts containers, once the probes have reached nothing from the first of them. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { SandboxError, type SandboxTraits, SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import type { ContainerHost } from '../session/sandbox-of-host.ts'
import { hintsOf, PROBE_LIMITS, plantCanaries, probeSession, probeWall } from '../session/self-test.ts'
import { openSession } from '../session/session.ts'
import type { LaunchParts } from './launch.ts'

export type HostOptions = {
  readonly clock: Clock
  /** Unguessable, for the canaries of the self-test. */
  readonly secret: string
  /** Null: the one that is found in PATH. */
  readonly bubblewrap: string | null
}

export type Launcher = (parts: LaunchParts, limits: SessionLimits) => Channel

export type Kind = {
  readonly name: string
  readonly traits: SandboxTraits
  /** Throws `SandboxUnavailable` where something is missing on this machine. */
  find(): Launcher
  /** What stands around the wall would hide a hole in it: where there is such a thing, the wall is tried without. */
  probesOfWall?(parts: LaunchParts, limits: SessionLimits, hints: object): Channel
}

/** Who runs it when we are root: limits count for others only. */
const NOBODY = { uid: 65_534, gid: 65_534 }
const RETEST_MS = 60_000
const CANARY = 'ANTIPHON_CANARY'

export function testedHost(kind: Kind, options: HostOptions): ContainerHost {
  let tested: Promise<Launched> | null = null
  /** What failed may have been mended, or the machine too busy; but it is not tried by every request. */
  const testOnce = (): Promise<Launched> => {
    if (tested !== null) return tested
    const testing = test(kind, options)
    tested = testing
    const forget = () => {
      tested = null
    }
    testing.catch(() => options.clock.after(RETEST_MS, forget))
    return testing
  }
  return {
    name: kind.name,
    traits: async () => kind.traits,
    async launch(limits, signal) {
      const { start, parts } = await testOnce()
      signal.throwIfAborted()
      return start(parts, limits)
    },
  }
}

type Launched = { readonly start: Launcher; readonly parts: LaunchParts }

/** What a session is started with, once the probes have reached nothing. */
async function test(kind: Kind, options: HostOptions): Promise<Launched> {
  const bubblewrap = findBubblewrap(options)
  const parts = { bubblewrap, user: process.getuid?.() === 0 ? NOBODY : null, environment: {} }
  const start = kind.find()
  const canaries = await plantCanaries(options.secret)
  try {
    const watched = { ...parts, environment: { [CANARY]: options.secret } }
    if (kind.probesOfWall) await probeWall(kind.probesOfWall(watched, PROBE_LIMITS, hintsOf(canaries)), canaries)
    const channel = start(watched, PROBE_LIMITS)
    const session = await openSession({ channel, clock: options.clock, limits: PROBE_LIMITS })
    try {
      await probeSession(session, canaries, kind.traits)
    } finally {
      session.close()
    }
    return { start, parts }
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

function findBubblewrap({ bubblewrap }: HostOptions): string {
  if (process.platform !== 'linux')
    throw new SandboxUnavailable('bubblewrap is a program of Linux; run `antiphon sandbox serve` on a Linux machine')
  const program = bubblewrap ?? findProgram('bwrap')
  if (program !== null && existsSync(program)) return program
  throw new SandboxUnavailable('bubblewrap is not installed; on Debian and Ubuntu: apt-get install bubblewrap')
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
