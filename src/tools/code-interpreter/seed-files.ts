/** Files that a container has from the beginning: those of the conversation's messages, and those that the tool names. */
import { createHash } from 'node:crypto'
import type { Item } from '../../protocol/items.ts'
import { ContainerError, type SeedFile } from '../containers.ts'
import type { FileSource } from '../file-source.ts'

/** Of one response; the newest ones. */
export const MAX_SEEDED = 50
const MAX_NAME_CHARS = 200

export type SeedParts = { readonly projectId: string; readonly source: FileSource; readonly signal: AbortSignal }

/** By their names; of several of one name the later ones have their ids before it. */
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

type Part = {
  readonly filename?: string | undefined
  readonly file_data?: string | undefined
  readonly file_id?: string | undefined
}

async function toSeed({ filename, file_data, file_id }: Part, parts: SeedParts): Promise<SeedFile | null> {
  if (file_data !== undefined) {
    const comma = file_data.startsWith('data:') ? file_data.indexOf(',') : -1
    const bytes = Buffer.from(file_data.slice(comma + 1), 'base64')
    const mark = createHash('sha256').update(bytes).digest('hex')
    return { mark, path: plainName(filename ?? 'file'), open: async () => bytes }
  }
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
  return { mark: file_id, path: plainName(file.filename), open }
}

function apart(seeds: readonly SeedFile[]): readonly SeedFile[] {
  const byPath = new Map<string, string>()
  return seeds.flatMap((seed) => {
    const mark = byPath.get(seed.path)
    if (mark === seed.mark) return []
    byPath.set(seed.path, seed.mark)
    return mark === undefined ? [seed] : [{ ...seed, path: `${seed.mark.slice(0, 60)}-${seed.path}` }]
  })
}

/** The name alone, without what a folder or a terminal would understand. */
export function plainName(written: string): string {
  const name = written.split(/[/\\]/).at(-1) ?? ''
  const plain = name.replace(/\p{C}/gu, '').slice(0, MAX_NAME_CHARS).trim()
  return /^\.{0,2}$/.test(plain) ? 'file' : plain
}
