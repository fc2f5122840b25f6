/** Files that a container has from the beginning: those of the conversation's messages, and those that the tool names. */
import { createHash } from 'node:crypto'
import type { Item } from '../../protocol/items.ts'
import { ContainerError, type SeedFile } from '../containers.ts'
import type { FileSource } from '../file-source.ts'

/** Of one response; the newest ones. */
export const MAX_SEEDED = 50
const MAX_NAME_CHARS = 200

export type SeedParts = { readonly projectId: string; readonly source: FileSource; readonly signal: AbortSignal }

/** By their names; of several of one name the later ones are numbered. */
export async function seedsOf(
  items: readonly Item[],
  fileIds: readonly string[],
  parts: SeedParts,
): Promise<readonly SeedFile[]> {
  const found = items.flatMap((item) => {
    if (item.type !== 'message' || item.role === 'assistant') return []
    return item.content.flatMap((part) => (part.type === 'input_file' ? [part] : []))
  })
  const named = [...found, ...fileIds.map((file_id) => ({ file_id, filename: undefined, file_data: undefined }))]
  const seeds = await Promise.all(named.slice(-MAX_SEEDED).map((part) => toSeed(part, parts)))
  return apart(seeds.flatMap((seed) => seed ?? []))
}

/** `key`: the same for the same file. */
type NamedSeed = SeedFile & { readonly key: string }

type Part = {
  readonly filename?: string | undefined
  readonly file_data?: string | undefined
  readonly file_id?: string | undefined
}

async function toSeed({ filename, file_data, file_id }: Part, parts: SeedParts): Promise<NamedSeed | null> {
  if (file_data !== undefined) return { key: file_data, ...inlineSeed(plainName(filename ?? 'file'), file_data) }
  if (file_id === undefined) return null
  const { projectId, source, signal } = parts
  const file = await source.open(projectId, file_id, signal)
  // One that is gone since; others are refused while planning.
  if (!file) return null
  const open: SeedFile['open'] = async (stop) => {
    const again = await source.open(projectId, file_id, stop)
    if (!again) throw new ContainerError('failed', `The file ${file_id} is gone.`)
    return again.content
  }
  return { key: file_id, mark: () => file_id, path: plainName(file.filename), open }
}

/** Most responses of a conversation run no code: it is decoded when it is wanted. */
function inlineSeed(path: string, data: string): SeedFile {
  const comma = data.startsWith('data:') ? data.indexOf(',') : -1
  let bytes: Buffer | null = null
  const decoded = () => {
    bytes ??= Buffer.from(data.slice(comma + 1), 'base64')
    return bytes
  }
  return { path, mark: () => createHash('sha256').update(decoded()).digest('hex'), open: async () => decoded() }
}

/** Of several of one name the first has it; the same file twice is one. */
function apart(seeds: readonly NamedSeed[]): readonly SeedFile[] {
  const byPath = new Map<string, string[]>()
  return seeds.flatMap(({ key, ...seed }) => {
    const keys = byPath.get(seed.path) ?? []
    if (keys.includes(key)) return []
    byPath.set(seed.path, [...keys, key])
    return keys.length === 0 ? [seed] : [{ ...seed, path: `${keys.length + 1}-${seed.path}` }]
  })
}

/** The name alone, without what a folder or a terminal would understand. */
export function plainName(written: string): string {
  const name = written.split(/[/\\]/).at(-1) ?? ''
  const plain = name
    .replace(/[\p{C}【】]/gu, '')
    .slice(0, MAX_NAME_CHARS)
    .trim()
  return /^\.{0,2}$/.test(plain) ? 'file' : plain
}
