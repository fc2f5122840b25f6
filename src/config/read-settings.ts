/** Reads every setting from every source, and keeps the value of the strongest one. */
import { unknownKey } from './compound-kinds.ts'
import { type Environment, SETTING_PATHS } from './environment.ts'
import type { ReadContext } from './kinds.ts'
import type { Origin, ValueOf } from './resolved-config.ts'
import { type MapNode, type Place, quoteNode, type SourceNode, wholeSource } from './source-node.ts'
import { SETTINGS, type SettingPath } from './table.ts'

export type SettingSources = {
  readonly flags: ReadonlyMap<SettingPath, SourceNode>
  readonly environment: Environment
  readonly root: SourceNode | null
  readonly fileName: string | null
}

export type SettingValues = { readonly [P in SettingPath]: ValueOf<(typeof SETTINGS)[P]> }

export type ReadSettings = {
  readonly values: SettingValues
  readonly origins: ReadonlyMap<SettingPath, Origin>
  placeOf(path: SettingPath): Place
}

type Candidate = { readonly node: SourceNode; readonly origin: Origin }

export function readSettings(sources: SettingSources, context: ReadContext): ReadSettings {
  const inFile = new Map<SettingPath, SourceNode>()
  if (sources.root !== null) walkSection(sources.root, '', inFile, context)
  const values: Record<string, unknown> = {}
  const origins = new Map<SettingPath, Origin>()
  const places = new Map<SettingPath, Place>()
  for (const path of SETTING_PATHS) {
    const chosen = strongest(candidatesOf(path, sources, inFile), path, context)
    values[path] = chosen?.value ?? SETTINGS[path].fallback
    origins.set(path, chosen?.origin ?? { level: 'default', name: null })
    if (chosen !== null) places.set(path, chosen.place)
  }
  return {
    // The check: each value came out of the kind of its own setting, or is that setting's default.
    values: values as SettingValues,
    origins,
    placeOf: (path) => places.get(path) ?? wholeSource('default'),
  }
}

/** Strongest first. */
function candidatesOf(path: SettingPath, sources: SettingSources, inFile: ReadonlyMap<SettingPath, SourceNode>) {
  const candidates: Candidate[] = []
  const flag = sources.flags.get(path)
  if (flag !== undefined) candidates.push({ node: flag, origin: { level: 'flag', name: flag.place.source } })
  const variable = sources.environment.get(path)
  if (variable !== undefined) {
    candidates.push({ node: variable.node, origin: { level: 'env', name: variable.name } })
  }
  const node = inFile.get(path)
  if (node !== undefined) candidates.push({ node, origin: { level: 'file', name: sources.fileName } })
  return candidates
}

/** Reads all candidates, so that each one's faults are told, and answers the first that gives a value. */
function strongest(candidates: readonly Candidate[], path: SettingPath, context: ReadContext) {
  const read = candidates.map(({ node, origin }) => ({
    value: SETTINGS[path].kind.read(node, context),
    origin,
    place: node.place,
  }))
  return read.find(({ value }) => value !== undefined) ?? null
}

/** Collects the settings below `prefix`, and reports keys that are none. */
function walkSection(
  node: SourceNode,
  prefix: string,
  found: Map<SettingPath, SourceNode>,
  context: ReadContext,
): void {
  if (node.type === 'scalar' && node.value === null) return
  if (node.type !== 'map') {
    const what = prefix === '' ? 'the file' : `"${prefix.slice(0, -1)}"`
    context.error(node.place, `${what} should be a section of "key: value" lines, not ${quoteNode(node)}`)
    return
  }
  walkEntries(node, prefix, found, context)
}

function walkEntries(node: MapNode, prefix: string, found: Map<SettingPath, SourceNode>, context: ReadContext): void {
  const below = SETTING_PATHS.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length))
  const names = [...new Set(below.map((path) => path.split('.', 1)[0] ?? path))]
  for (const { key, keyPlace, value } of node.entries) {
    const path = `${prefix}${key}`
    const setting = SETTING_PATHS.find((it) => it === path)
    if (setting !== undefined) found.set(setting, value)
    else if (names.includes(key)) walkSection(value, `${path}.`, found, context)
    else context.error(keyPlace, unknownKey(key, names))
  }
}
