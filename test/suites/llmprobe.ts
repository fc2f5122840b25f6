/**
 * An independent conformance suite, llmprobe, against a started server on the demo model. Run it with
 * `node --test test/suites/llmprobe.ts`. Every test of its `responses` surface must pass, but for the named ones below.
 */
import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { scratchFolder } from './cached-install.ts'
import { type StartedServer, startAntiphon } from './start-antiphon.ts'
import { baseEnv, startProcess } from './start-process.ts'

const LLMPROBE = fileURLToPath(new URL('../../node_modules/llmprobe/bin/dist/llmprobe.mjs', import.meta.url))
const RUN_MS = 300_000

/** Tests that do not end in `pass`: with what outcome, and why that is right. One that passes must leave this table. */
const EXCEPTIONS: Readonly<Record<string, { readonly outcome: string; readonly reason: string }>> = {
  'responses-mcp-tools': { outcome: 'unsupported', reason: 'llmprobe brings no MCP server and never tries' },
}

type Failure = { readonly id: string; readonly severity: string; readonly message: string }
type Result = {
  readonly id: string
  readonly name: string
  readonly surface: string
  readonly outcome: string
  readonly reason?: string
  readonly failures: readonly Failure[]
}
type Report = {
  readonly incomplete?: unknown
  readonly conformance: { readonly results: readonly Result[] }
}

describe('llmprobe', () => {
  let server: StartedServer
  let report: Report
  const scratch = scratchFolder('llmprobe')

  before(async () => {
    server = await startAntiphon()
    report = await probe(server, join(scratch, 'report.json'))
  })
  after(async () => {
    await server?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })

  const responsesResults = () => report.conformance.results.filter((it) => it.surface === 'responses')

  test('ran to its end and found the surface', (t) => {
    assert.equal(report.incomplete, undefined)
    t.diagnostic(`${responsesResults().length} tests of the responses surface`)
    assert.ok(responsesResults().length >= 5)
  })

  test('every test of the responses surface passes, but for the named exceptions', () => {
    const wrong = responsesResults().filter((it) => it.outcome !== (EXCEPTIONS[it.id]?.outcome ?? 'pass'))
    assert.deepEqual(wrong.map(describeResult), [])
  })

  test('no assertion of a MUST fails', () => {
    const failed = responsesResults().filter((it) => it.failures.some(({ severity }) => /must/i.test(severity)))
    assert.deepEqual(failed.map(describeResult), [])
  })

  test('every named exception is still one', () => {
    const ids = new Set(responsesResults().map((it) => it.id))
    const gone = Object.keys(EXCEPTIONS).filter((id) => !ids.has(id))
    assert.deepEqual(gone, [])
  })

  async function probe({ baseUrl, key }: StartedServer, file: string): Promise<Report> {
    const options = ['--no-bench', '--no-save', '--no-color', '--timeout', '30', '--save', file]
    const args = [LLMPROBE, baseUrl, '-k', key, '-m', 'demo', ...options]
    const started = startProcess(process.execPath, args, { env: { ...baseEnv(), HOME: scratch } })
    const timer = setTimeout(() => void started.stop(), RUN_MS)
    await started.exited
    clearTimeout(timer)
    try {
      return JSON.parse(readFileSync(file, 'utf8'))
    } catch (cause) {
      throw new Error(`llmprobe wrote no report:\n${started.output().replaceAll(key, '<key>')}`, { cause })
    }
  }
})

function describeResult({ id, name, outcome, reason, failures }: Result): string {
  const details = failures.map((it) => `${it.severity} ${it.id}: ${it.message}`)
  return [`${id} (${name}): ${outcome}`, ...(reason === undefined ? [] : [reason]), ...details].join('; ')
}
