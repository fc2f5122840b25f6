/** Runs the tests and prints what failed and a summary; nothing about what passed. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { run as runTestFiles } from 'node:test'
import { inspect } from 'node:util'
import { ROOT } from './paths.js'

const PATTERNS = ['src/**/*.test.ts', 'test/**/*.test.ts']
/** Suites against other people's programs, started by name only. */
const EXCLUDED = ['test/suites/**']
const CONCURRENCY = 2
/** Of one file. A test that hangs must not hang the run. */
const TIMEOUT_MS = 240_000
/** Fails a file that leaves a handle or an unhandled rejection behind. */
const PRELOAD = join(ROOT, 'test', 'hygiene', 'preload.ts')
const NAME_PATTERN = '--test-name-pattern='

/** `args`: file globs instead of all tests, and `--test-name-pattern=TEXT`. Answers the exit code. */
export async function run(args) {
  const globs = args.filter((arg) => !arg.startsWith('--'))
  const names = args.filter((arg) => arg.startsWith(NAME_PATTERN)).map((arg) => arg.slice(NAME_PATTERN.length))
  const files = globs.length > 0 ? find(globs, []) : find(PATTERNS, EXCLUDED)
  if (files.length === 0) {
    console.error(`no test files match ${globs.join(' ')}`)
    return 1
  }
  const options = {
    files,
    cwd: ROOT,
    concurrency: CONCURRENCY,
    timeout: TIMEOUT_MS,
    execArgv: ['--import', PRELOAD],
  }
  return report(runTestFiles(names.length > 0 ? { ...options, testNamePatterns: names } : options))
}

const find = (patterns, exclude) =>
  globSync(patterns, { cwd: ROOT, exclude })
    .sort()
    .map((path) => join(ROOT, path))

async function report(stream) {
  const output = new Map()
  let failed = false
  for await (const { type, data } of stream) {
    if (type === 'test:stdout' || type === 'test:stderr') {
      output.set(data.file, `${output.get(data.file) ?? ''}${data.message}`)
    } else if (type === 'test:fail' && data.todo === undefined) {
      failed = true
      reportFailure(data, output)
    } else if (type === 'test:pass' && typeof data.skip === 'string') {
      console.log(`skipped: ${data.name}, because ${data.skip.replace(/^because:? /, '')}`)
    } else if (type === 'test:summary' && data.file === undefined) {
      const { tests, passed, skipped, todo } = data.counts
      const failures = data.counts.failed + data.counts.cancelled
      const seconds = (data.duration_ms / 1000).toFixed(1)
      console.log(
        `${tests} tests: ${passed} passed, ${failures} failed, ${skipped} skipped, ${todo} todo, ${seconds} s`,
      )
      failed ||= !data.success
    }
  }
  return failed ? 1 : 0
}

function reportFailure(data, output) {
  const error = data.details.error
  if (error?.failureType === 'subtestsFailed') return
  console.log(`\nFAILED ${data.name}\n  ${data.file ?? ''}:${data.line ?? ''}`)
  console.log(indent(inspect(error?.cause ?? error, { depth: 4 })))
  const printed = output.get(data.file)
  if (printed === undefined) return
  console.log(indent(`printed by the file:\n${printed}`))
  output.delete(data.file)
}

const indent = (text) => text.replace(/^/gm, '  ')
