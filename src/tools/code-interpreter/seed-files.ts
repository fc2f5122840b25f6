/** Files of the conversation's messages, by name in its container. */
import type { Item } from '../../protocol/items.ts'
import type { ProjectContainers } from '../containers.ts'

/** Of one response; the newest ones. */
export const MAX_SEEDED = 50
const MAX_NAME_CHARS = 200

export async function seedFiles(items: readonly Item[], id: string, containers: ProjectContainers): Promise<void> {
  const found = items.flatMap((item) => {
    if (item.type !== 'message' || item.role === 'assistant') return []
    return item.content.flatMap((part) => (part.type === 'input_file' ? (toFile(part) ?? []) : []))
  })
  for (const { name, bytes } of found.slice(-MAX_SEEDED)) await containers.seedFile(id, name, bytes)
}

type Part = { readonly filename?: string | undefined; readonly file_data?: string | undefined }

function toFile({ filename, file_data }: Part): { readonly name: string; readonly bytes: Buffer } | null {
  if (file_data === undefined) return null
  const comma = file_data.startsWith('data:') ? file_data.indexOf(',') : -1
  return { name: plainName(filename ?? 'file'), bytes: Buffer.from(file_data.slice(comma + 1), 'base64') }
}

/** The name alone, without what a folder or a terminal would understand. */
export function plainName(written: string): string {
  const name = written.split(/[/\\]/).at(-1) ?? ''
  const plain = name.replace(/\p{C}/gu, '').slice(0, MAX_NAME_CHARS).trim()
  return /^\.{0,2}$/.test(plain) ? 'file' : plain
}
