/** What starts containers, once the probes have reached nothing from the first of them. */
import type { Clock } from '../../lib/clock.ts'
import { SandboxError, type SandboxTraits, SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import type { Channel } from '../session/channel.ts'
import type { ContainerHost } from '../session/sandbox-of-host.ts'
import { hintsOf, PROBE_LIMITS, plantCanaries, probeSession, probeWall } from '../session/self-test.ts'
import { openSession } from '../session/session.ts'
import { BUBBLEWRAP_ADVICE, findBubblewrap } from './find-bubblewrap.ts'
import type { LaunchParts } from './launch.ts'
import { testOnce } from './test-once.ts'

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

const CANARY = 'ANTIPHON_CANARY'

export function testedHost(kind: Kind, options: HostOptions): ContainerHost {
  const tested = testOnce(() => test(kind, options), options.clock)
  return {
    name: kind.name,
    traits: async () => kind.traits,
    async launch(limits, signal) {
      const { start, parts } = await tested()
      signal.throwIfAborted()
      return start(parts, limits)
    },
  }
}

type Launched = { readonly start: Launcher; readonly parts: LaunchParts }

/** What a session is started with, once the probes have reached nothing. */
async function test(kind: Kind, options: HostOptions): Promise<Launched> {
  const found = findBubblewrap(options.bubblewrap, '; run `antiphon sandbox serve` on a Linux machine')
  const parts = { ...found, environment: {} }
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

const ADVICE = `${BUBBLEWRAP_ADVICE}, or run \`antiphon sandbox serve\` on another machine.`
