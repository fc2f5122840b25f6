/**
 * Code in a Python of this machine, behind the namespaces of bubblewrap: without network, environment, capabilities, and
 * with nothing to write to but memory of its own. The first session waits for the self-test.
 */
import { existsSync } from 'node:fs'
import type { Clock } from '../../lib/clock.ts'
import { type Sandbox, SandboxError, SandboxUnavailable } from '../sandbox.ts'
import { type ContainerHost, sandboxOf } from '../session/sandbox-of-host.ts'
import { PROBE_LIMITS, plantCanaries, probeSession } from '../session/self-test.ts'
import { openSession } from '../session/session.ts'
import { BUBBLEWRAP_ADVICE, findBubblewrap } from './find-bubblewrap.ts'
import { type LaunchParts, launch } from './launch.ts'

export type BubblewrapOptions = {
  readonly clock: Clock
  /** Unguessable, for the canaries of the self-test. */
  readonly secret: string
  readonly python: string
  /** Null: the one that is found in PATH. */
  readonly bubblewrap: string | null
}

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

const ADVICE = `${BUBBLEWRAP_ADVICE}, or run \`antiphon sandbox serve\` on another machine.`

function find({ bubblewrap, python }: BubblewrapOptions): Omit<LaunchParts, 'environment'> {
  const found = findBubblewrap(bubblewrap, '; run `antiphon sandbox serve` on a Linux machine')
  if (!python.startsWith('/usr/'))
    throw new SandboxUnavailable(`the Python at ${python} cannot be seen in a container; name one below /usr`)
  if (!existsSync(python))
    throw new SandboxUnavailable(`there is no Python at ${python}; on Debian and Ubuntu: apt-get install python3`)
  return { ...found, python }
}
