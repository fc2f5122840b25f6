/** Composition for `antiphon files`: a client of a running server, as any other. */
import type { FileAdmin, FileEntry, FileServer } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { isJson, openServerClient } from './server-client.ts'

export function openFiles(config: ResolvedConfig, server: FileServer): FileAdmin {
  const client = openServerClient(config, server)
  return {
    upload: async (path, options) => toEntry(await client.upload(path, options)),
    async *list() {
      for await (const file of client.list('/v1/files?limit=1000')) yield toEntry(file)
    },
    async delete(id) {
      await client.call('DELETE', `/v1/files/${encodeURIComponent(id)}`)
    },
  }
}

function toEntry(file: unknown): FileEntry {
  const { id, filename, bytes, purpose, created_at, expires_at } = isJson(file) ? file : {}
  return {
    id: String(id),
    filename: String(filename),
    bytes: Number(bytes),
    purpose: String(purpose),
    createdAt: Number(created_at),
    expiresAt: typeof expires_at === 'number' ? expires_at : null,
  }
}
