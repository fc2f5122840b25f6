/** `antiphon check`: all faults of the configuration, without starting. */

import type { ConfigResult } from '../config/resolve-config.ts'
import { formatProblem, type Problem } from '../config/source-node.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { readConfig } from './load-config.ts'

export const check: Command = {
  name: 'check',
  doc: 'Find all faults of the configuration without starting.',
  positionals: [],
  options: { ...CONFIG_OPTIONS, ...JSON_OPTION },
  async run(input, host) {
    const result = await readConfig(input, check.options, host)
    if (input.switches.has('json')) line(host.stdout, JSON.stringify(toJson(result), null, 2))
    else print(result, host)
    return result.type === 'config' ? EXIT.ok : EXIT.failed
  },
}

const problemsOf = (result: ConfigResult) => (result.type === 'config' ? result.warnings : result.problems)

function print(result: ConfigResult, host: Host): void {
  const problems = problemsOf(result)
  for (const problem of problems) {
    line(host.stdout, `${formatProblem(problem)}${problem.severity === 'warning' ? ' (warning)' : ''}`)
  }
  const faults = problems.filter(({ severity }) => severity === 'error').length
  if (result.type === 'problems') line(host.stderr, `${faults} ${faults === 1 ? 'fault' : 'faults'}`)
  else line(host.stdout, `ok: ${result.config.file ?? 'no file, the defaults and the environment'}`)
}

/** `settings`: every value that is no default, by where it came from; never the value, which may be a secret. */
function toJson(result: ConfigResult) {
  const problems = problemsOf(result).map(({ place, message, severity }: Problem) => ({ severity, ...place, message }))
  if (result.type === 'problems') return { ok: false, problems }
  const given = [...result.config.origins].filter(([, { level }]) => level !== 'default')
  return { ok: true, file: result.config.file, settings: Object.fromEntries(given), problems }
}
