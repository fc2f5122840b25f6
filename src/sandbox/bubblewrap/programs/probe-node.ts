/** The self-test of what programs run in: probes with all that Node can do must reach nothing. */
import { readFileSync } from 'node:fs'
import type { Clock } from '../../../lib/clock.ts'
import type { ProgramLimits } from '../../program-sandbox.ts'
import { SandboxUnavailable } from '../../sandbox.ts'
import { type Canaries, readReport } from '../../session/self-test.ts'
import { launchNode, type NodeParts } from './launch-node.ts'

const PROBES = readFileSync(new URL('./probes.mjs', import.meta.url), 'utf8')
const MAX_REPORT_CHARS = 100_000
const PROBE_LIMITS: ProgramLimits = {
  wallMs: 30_000,
  cpuMs: 30_000,
  memoryBytes: 256 * 1024 * 1024,
  outputBytes: MAX_REPORT_CHARS,
}

/** Throws `SandboxUnavailable` when anything was reached, or when the probes could not be run. */
export async function probeNode(
  parts: NodeParts,
  canaries: Canaries,
  clock: Clock,
): Promise<{ readonly tried: number }> {
  const { secret, file, port, socket, name } = canaries
  const process = launchNode(parts, PROBES, PROBE_LIMITS, clock)
  let said = ''
  process.onData((bytes) => {
    said = (said + bytes.toString('utf8')).slice(0, MAX_REPORT_CHARS)
  })
  const stop = clock.after(PROBE_LIMITS.wallMs, process.kill)
  process.write(`${JSON.stringify({ secret, file, port, socket, name, pid: globalThis.process.pid })}\n`)
  const end = await process.ended
  stop()
  const report = readReport(said.trim())
  if (report === null) throw new SandboxUnavailable(`its self-test did not run to its end (${reasonOf(end)})`)
  const reached = Object.entries(report.reached).map(([probe, found]) => `${probe} (${found.slice(0, 100)})`)
  if (canaries.hits() > 0) reached.push(`${canaries.hits()} connections`)
  if (reached.length === 0) return { tried: report.tried }
  throw new SandboxUnavailable(`its self-test reached what it must not: ${reached.join(', ').slice(0, 2_000)}`)
}

const reasonOf = ({ said, signal }: { readonly said: string; readonly signal: string | null }) =>
  said.trim().replace(/\s+/g, ' ').slice(0, 300) || (signal ?? 'it said nothing')
