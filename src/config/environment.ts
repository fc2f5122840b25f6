/** Settings from the environment: `ANTIPHON_SECTION__KEY`, and a few short names that other tools set too. */
import { type Problem, type SourceNode, wholeSource } from './source-node.ts'
import { didYouMean } from './suggest.ts'
import { envNameOf, SETTINGS, type SettingPath } from './table.ts'

export type Environment = ReadonlyMap<SettingPath, { readonly name: string; readonly node: SourceNode }>

type Env = Readonly<Record<string, string | undefined>>

export const SETTING_PATHS = Object.keys(SETTINGS).filter((path): path is SettingPath => path in SETTINGS)

export async function readEnvironment(env: Env, problems: Problem[]): Promise<Environment> {
  const found = new Map<SettingPath, { name: string; node: SourceNode }>()
  for (const path of SETTING_PATHS) {
    const names = [envNameOf(path), SETTINGS[path].shortEnv]
    const name = names.find((it) => it !== null && env[it] !== undefined && env[it] !== '')
    if (name === undefined || name === null) continue
    const node = await toNode(env[name] ?? '', name, problems)
    if (node !== null) found.set(path, { name, node })
  }
  reportUnknown(env, problems)
  return found
}

/** A value that begins like a list or a section of YAML is one; anything else is a text. */
async function toNode(value: string, name: string, problems: Problem[]): Promise<SourceNode | null> {
  const place = wholeSource(name)
  if (!/^\s*[[{]/.test(value)) return { type: 'scalar', value, text: value, place }
  const { readYaml } = await import('./yaml-source.ts')
  const yaml = readYaml(value, name)
  problems.push(...yaml.problems)
  return yaml.root
}

/** Only names with two underscores are ours: orchestrators set `ANTIPHON_PORT_8484_TCP` and the like by themselves. */
function reportUnknown(env: Env, problems: Problem[]): void {
  const known = SETTING_PATHS.map(envNameOf)
  for (const name of Object.keys(env)) {
    if (!/^ANTIPHON_[A-Z0-9]+(_[A-Z0-9]+)*__/.test(name) || known.includes(name)) continue
    const message = `unknown variable${didYouMean(name, known)}`
    problems.push({ place: wholeSource(name), message, severity: 'error' })
  }
}
