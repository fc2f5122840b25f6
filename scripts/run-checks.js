/** Static checks, one after the other; each prints its time, and its output only when it found something. */
import { runTool } from './paths.js'

const CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint and format', command: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { name: 'unused code', command: 'knip', args: ['--no-progress'] },
]

/** `args`: names of checks to run instead of all. Answers the exit code. */
export function run(args) {
  const chosen = args.length > 0 ? CHECKS.filter(({ name }) => args.includes(name)) : CHECKS
  if (chosen.length === 0) {
    console.error(`no such check; the checks are ${CHECKS.map(({ name }) => `"${name}"`).join(', ')}`)
    return 2
  }
  const passed = chosen.map(runCheck)
  return passed.every(Boolean) ? 0 : 1
}

function runCheck({ name, command, args }) {
  const start = performance.now()
  const { status, stdout, stderr, error } = runTool(command, args)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (status !== 0)
    console.log(error === undefined ? `${stdout}${stderr}` : `could not run ${command}: ${error.message}`)
  return status === 0
}
