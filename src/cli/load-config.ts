import { resolveConfig } from '../config/resolve-config.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { formatProblem } from '../config/source-node.ts'
import type { SettingPath } from '../config/table.ts'
import { CommandError } from './app-interface.ts'
import type { CommandInput, Option } from './command.ts'
import type { Host } from './host.ts'

/** The configuration that the command line, the environment and the file give, whether good or bad. */
export function readConfig(input: CommandInput, options: Readonly<Record<string, Option>>, host: Host) {
  return resolveConfig({
    flags: flagsOf(input, options),
    file: input.values.get('config') ?? null,
    noAuth: input.switches.has('no-auth'),
    env: host.env,
    providers: host.providers,
    cwd: host.cwd,
    home: host.home,
  })
}

/** The same, for commands that can do nothing with a bad one. Warnings go to stderr. */
export async function loadConfig(
  input: CommandInput,
  options: Readonly<Record<string, Option>>,
  host: Host,
): Promise<ResolvedConfig> {
  const result = await readConfig(input, options, host)
  if (result.type === 'problems') {
    const lines = result.problems.map((problem) => `  ${formatProblem(problem)}`)
    throw new CommandError(`the configuration has faults:\n${lines.join('\n')}`)
  }
  for (const warning of result.warnings) host.stderr.write(`antiphon: ${formatProblem(warning)}\n`)
  return result.config
}

function flagsOf({ values, switches }: CommandInput, options: Readonly<Record<string, Option>>) {
  const flags = new Map<SettingPath, { flag: string; value: string }>()
  for (const [name, { setting, gives }] of Object.entries(options)) {
    const value = values.get(name) ?? (switches.has(name) ? gives : undefined)
    if (setting !== undefined && value !== undefined) flags.set(setting, { flag: `--${name}`, value })
  }
  return flags
}
