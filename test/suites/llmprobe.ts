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

type Exception = { readonly outcome: string; readonly onlyFailing?: string; readonly reason: string }
type Exceptions = Readonly<Record<string, Exception>>

/** Tests that do not end in `pass`: with what outcome, and why that is right. One that passes must leave its table. */
const EXCEPTIONS: Exceptions = {
  'responses-mcp-tools': { outcome: 'unsupported', reason: 'llmprobe brings no MCP server and never tries' },
  'responses-reasoning-roundtrip': { outcome: 'unsupported', reason: 'llmprobe tries it on chat surfaces only' },
}
const REASONING_EXCEPTIONS: Exceptions = {
  'responses-streaming': {
    outcome: 'fail',
    onlyFailing: 'responses-stream-chunk-schema',
    reason:
      'llmprobe has the name of Open Responses, response.reasoning.delta; OpenAI and its SDKs have response.reasoning_text.delta',
  },
}

/** With reasoning the demo model's streams hold reasoning events too. */
const RUNS = [
  { reasoning: 'off', exceptions: EXCEPTIONS },
  { reasoning: 'medium', exceptions: { ...EXCEPTIONS, ...REASONING_EXCEPTIONS } },
] as const

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

for (const { reasoning, exceptions } of RUNS) {
  describe(`llmprobe with reasoning ${reasoning}`, () => {
    let server: StartedServer
    let results: readonly Result[]
    const scratch = scratchFolder('llmprobe')

    before(async () => {
      server = await startAntiphon()
      const report = await probe(server, scratch, reasoning)
      assert.equal(report.incomplete, undefined)
      results = report.conformance.results.filter((it) => it.surface === 'responses')
    })
    after(async () => {
      await server?.stop()
      rmSync(scratch, { recursive: true, force: true })
    })

    test('every test of the responses surface passes, but for the named exceptions (req 197)', (t) => {
      t.diagnostic(`${results.length} tests, ${results.filter((it) => it.outcome === 'pass').length} passed`)
      assert.ok(results.length >= 30, 'llmprobe did not find the responses surface')
      const wrong = results.filter((it) => !isAsExpected(it, exceptions))
      assert.deepEqual(wrong.map(describeResult), [])
    })

    test('every named exception is still one', () => {
      const ids = new Set(results.map((it) => it.id))
      assert.deepEqual(
        Object.keys(exceptions).filter((id) => !ids.has(id)),
        [],
      )
    })
  })
}

async function probe({ baseUrl, key }: StartedServer, scratch: string, reasoning: string): Promise<Report> {
  const file = join(scratch, 'report.json')
  const options = ['--full', '--no-bench', '--no-save', '--no-color', '--timeout', '30', '--reasoning', reasoning]
  const args = [LLMPROBE, baseUrl, '-k', key, '-m', 'demo', ...options, '--save', file]
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

function isAsExpected({ id, outcome, failures }: Result, exceptions: Exceptions): boolean {
  const exception = exceptions[id]
  const must = failures.filter(({ severity }) => severity === 'MUST')
  if (exception === undefined) return outcome === 'pass' && must.length === 0
  return outcome === exception.outcome && must.every((it) => it.id === exception.onlyFailing)
}

function describeResult({ id, name, outcome, reason, failures }: Result): string {
  const details = failures.map((it) => `${it.severity} ${it.id}: ${it.message}`)
  return [`${id} (${name}): ${outcome}`, ...(reason === undefined ? [] : [reason]), ...details].join('; ')
}
