/**
 * Programs of models in a Node of this server's version, behind the namespaces of bubblewrap: one process that can start
 * no other, with no network, no environment, no file but its own, and nothing to write to. The first program waits for
 * the self-test.
 */
import { accessSync, constants, readFileSync } from 'node:fs'
import type { Clock } from '../../../lib/clock.ts'
import { createRunQueue } from '../../../lib/run-queue.ts'
import type { ProgramLimits, ProgramRun, ProgramSandbox } from '../../program-sandbox.ts'
import { SandboxUnavailable } from '../../sandbox.ts'
import { plantCanaries } from '../../session/self-test.ts'
import { BUBBLEWRAP_ADVICE, findBubblewrap } from '../find-bubblewrap.ts'
import { readablePath } from '../readable-path.ts'
import { testOnce } from '../test-once.ts'
import { launchNode, type NodeParts, type NodeProcess } from './launch-node.ts'
import { probeNode } from './probe-node.ts'
import { runProgram } from './program-run.ts'

export type BubblewrapProgramsOptions = {
  readonly clock: Clock
  /** Unguessable, for the canaries of the self-test. */
  readonly secret: string
  /** Null: the one that is found in PATH. */
  readonly bubblewrap: string | null
  readonly node: string
  readonly limits: ProgramLimits
  /** Programs that may be there at the same time; others wait. */
  readonly atOnce: number
}

const RUNTIME = readFileSync(new URL('./runtime.mjs', import.meta.url), 'utf8')
const CANARY = 'ANTIPHON_CANARY'

export function createBubblewrapPrograms(options: BubblewrapProgramsOptions): ProgramSandbox {
  const { clock, limits, atOnce } = options
  const queue = createRunQueue(atOnce)
  const running = new Set<NodeProcess>()
  const tested = testOnce(() => test(options), clock)
  return {
    name: 'bubblewrap',
    ready: async () => void (await tested()),
    async start(spec, signal) {
      const parts = await tested()
      const { promise, resolve } = Promise.withResolvers<ProgramRun>()
      // It holds its place until its process has ended.
      const place = queue(signal, async () => {
        const process = launchNode(parts, RUNTIME, limits, clock)
        const run = runProgram({ process, spec, limits, clock })
        running.add(process)
        signal.addEventListener('abort', process.kill, { once: true })
        resolve(run)
        await process.ended
        signal.removeEventListener('abort', process.kill)
        running.delete(process)
      })
      return await Promise.race([promise, place.then(() => promise)])
    },
    async close() {
      const all = [...running]
      for (const process of all) process.kill()
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}

/** What a program is started with, once the probes have reached nothing. */
async function test(options: BubblewrapProgramsOptions): Promise<NodeParts> {
  const { node, secret } = options
  const found = findBubblewrap(options.bubblewrap, '')
  const libraries = librariesOf(node)
  const parts = { ...found, node: readablePath(node, found.user), libraries, environment: {} }
  const canaries = await plantCanaries(secret)
  try {
    await probeNode({ ...parts, environment: { [CANARY]: secret } }, canaries, options.clock)
    return parts
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error
    throw new SandboxUnavailable(`${error.message}. ${BUBBLEWRAP_ADVICE}`, { cause: error })
  } finally {
    await canaries.close()
  }
}

/** What this very Node was linked with. */
function librariesOf(node: string): readonly string[] {
  try {
    accessSync(node, constants.X_OK)
  } catch {
    throw new SandboxUnavailable(`the Node at ${node} cannot be run`)
  }
  const { sharedObjects } = readReport()
  return sharedObjects.filter(
    (path) => path.startsWith('/') && !path.endsWith('.node') && !path.includes('node_modules'),
  )
}

function readReport(): { readonly sharedObjects: readonly string[] } {
  const report: unknown = process.report.getReport()
  const found = typeof report === 'object' && report !== null && 'sharedObjects' in report ? report.sharedObjects : []
  return { sharedObjects: Array.isArray(found) ? found.filter((path) => typeof path === 'string') : [] }
}
