/** Turns `{ 'limits.json_body': 1 }` into `{ limits: { jsonBodyBytes: 1 } }`. */
import type { Unit } from './kinds.ts'
import type { SettingValues } from './read-settings.ts'
import type { SimpleSettings } from './resolved-config.ts'
import { SETTINGS, type SettingPath } from './table.ts'

type Branch = { [name: string]: unknown }

export function nestSettings(values: SettingValues): SimpleSettings {
  const root: Branch = {}
  for (const path of Object.keys(values).filter((it): it is SettingPath => it in SETTINGS)) {
    const parts = path.split('.').map(camel)
    const last = `${parts.pop() ?? ''}${suffix(SETTINGS[path].kind.unit)}`
    let branch = root
    for (const part of parts) branch = childOf(branch, part)
    branch[last] = values[path]
  }
  // The check: `SimpleSettings` is computed from the same table by the same two rules, and a test compares the names.
  return root as SimpleSettings
}

function childOf(branch: Branch, name: string): Branch {
  const child: Branch = isBranch(branch[name]) ? branch[name] : {}
  branch[name] = child
  return child
}

const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const suffix = (unit: Unit) => (unit === 'ms' ? 'Ms' : unit === 'bytes' ? 'Bytes' : '')
