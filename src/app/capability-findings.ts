/**
 * What `antiphon models test` found out, kept in the data directory: one file, `capabilities.json`, an entry per
 * deployment. A server reads it when it starts.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FIELD_SUPPORTS, TURN_FIELDS } from '../lib/field-support.ts'
import type { FieldTable } from '../models/model.ts'
import type { Findings } from '../models/open-targets.ts'

const FILE = 'capabilities.json'

export type Finding = {
  /** ISO 8601. */
  readonly testedAt: string
  readonly fields: FieldTable
}
export type FoundCapabilities = {
  /** By `provider/model`. */
  readonly entries: ReadonlyMap<string, Finding>
  /** Why the file was not read; null when it was, or when there is none. */
  readonly problem: string | null
}

export function readFoundCapabilities(dataDir: string): FoundCapabilities {
  const path = join(dataDir, FILE)
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null) throw new Error('it is no JSON object')
    const entries = Object.entries(parsed).flatMap(([name, value]) => {
      const finding = readFinding(value)
      return finding === null ? [] : [[name, finding] as const]
    })
    return { entries: new Map(entries), problem: null }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { entries: new Map(), problem: null }
    const why = error instanceof Error ? error.message : String(error)
    const problem = `${path} cannot be read and is not used: ${why}. Delete it, or run antiphon models test again.`
    return { entries: new Map(), problem }
  }
}

export const toFindings =
  ({ entries }: FoundCapabilities): Findings =>
  (provider, upstreamModel) =>
    entries.get(`${provider}/${upstreamModel}`) ?? null

/** Entries of other deployments stay as they are. */
export function saveFinding(dataDir: string, name: string, finding: Finding): void {
  const entries = new Map(readFoundCapabilities(dataDir).entries).set(name, finding)
  mkdirSync(dataDir, { recursive: true })
  const draft = join(dataDir, `${FILE}.draft`)
  writeFileSync(draft, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`, { flush: true })
  renameSync(draft, join(dataDir, FILE))
}

/** What a hand may have written is taken as far as it means something. */
function readFinding(value: unknown): Finding | null {
  if (typeof value !== 'object' || value === null || !('fields' in value) || !('testedAt' in value)) return null
  const { fields, testedAt } = value
  if (typeof fields !== 'object' || fields === null || typeof testedAt !== 'string') return null
  const said = new Map<string, unknown>(Object.entries(fields))
  const known = TURN_FIELDS.flatMap((field) => {
    const support = FIELD_SUPPORTS.find((it) => it === said.get(field))
    return support === undefined ? [] : [[field, support] as const]
  })
  return { testedAt, fields: Object.fromEntries(known) }
}
