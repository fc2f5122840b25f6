/** Runs the tests and prints what failed and a summary; nothing about what passed. */
import { globSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { run as runTestFiles } from 'node:test'
import { inspect } from 'node:util'
import { ROOT } from './paths.js'

const PATTERNS = ['src/**/*.test.ts', 'test/**/*.test.ts']
/** Suites against other people's programs, started by name only. */
const EXCLUDED = ['test/suites/**']
const CONCURRENCY = 2
/** These measure, so they run last and one at a time: other tests beside them would be in their figures. */
const MEASURING = join(ROOT, 'test', 'load')
/** Of one file; the long form of faults takes its time. A test that hangs must not hang the run. */
const TIMEOUT_MS = process.env.ANTIPHON_FAULTS === 'full' ? 1_800_000 : 240_000
/** Fails a file that leaves a handle or an unhandled rejection behind. */
const PRELOAD = join(ROOT, 'test', 'hygiene', 'preload.ts')
/** Files that are named with their time, after a run of many. */
const SLOWEST = 12
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
    cwd: ROOT,
    timeout: TIMEOUT_MS,
    execArgv: ['--import', PRELOAD],
    ...(names.length > 0 && { testNamePatterns: names }),
  }
  const measures = (file) => file.startsWith(MEASURING + sep)
  const groups = [
    { ...options, concurrency: CONCURRENCY, files: files.filter((file) => !measures(file)) },
    { ...options, concurrency: 1, files: files.filter(measures) },
  ]
  return report(groups.filter((group) => group.files.length > 0))
}

const find = (patterns, exclude) =>
  globSync(patterns, { cwd: ROOT, exclude })
    .sort()
    .map((path) => join(ROOT, path))

/** Runs one group after the other. */
async function report(groups) {
  const output = new Map()
  const total = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 }
  const filesMs = new Map()
  let failed = false
  const began = performance.now()
  for (const group of groups) {
    for await (const { type, data } of runTestFiles(group)) {
      if (type === 'test:stdout' || type === 'test:stderr') {
        output.set(data.file, `${output.get(data.file) ?? ''}${data.message}`)
      } else if (type === 'test:fail' && data.todo === undefined) {
        failed = true
        reportFailure(data, output)
      } else if (type === 'test:pass' && typeof data.skip === 'string') {
        console.log(`skipped: ${data.name}, because ${data.skip.replace(/^because:? /, '')}`)
      } else if (type === 'test:summary' && data.file === undefined) {
        for (const kind of Object.keys(total)) total[kind] += data.counts[kind]
        failed ||= !data.success
      } else if (type === 'test:summary') {
        filesMs.set(data.file, data.duration_ms)
      }
    }
  }
  const { tests, passed, skipped, todo } = total
  const failures = total.failed + total.cancelled
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  reportSlowest(filesMs)
  console.log(`${tests} tests: ${passed} passed, ${failures} failed, ${skipped} skipped, ${todo} todo, ${seconds} s`)
  return failed ? 1 : 0
}

function reportSlowest(filesMs) {
  const slowest = [...filesMs].sort(([, a], [, b]) => b - a).slice(0, SLOWEST)
  if (filesMs.size <= SLOWEST) return
  const shown = slowest.map(([file, ms]) => `${relative(ROOT, file)} ${(ms / 1000).toFixed(0)} s`)
  console.log(`slowest: ${shown.join(', ')}`)
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
