/** Composition for `antiphon vector-stores`: a client of a running server, as any other. */
import type { AddedFile, FileServer, IngestCounts, VectorStoreAdmin } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { sleep, systemClock } from '../lib/clock.ts'
import { isJson, type Json, openServerClient, ServerRefusal } from './server-client.ts'

const POLL_MS = 500
const PURPOSE = 'assistants'
/** What is wrong with one file, and not with the call: others may still be sent. */
const OF_ONE_FILE: ReadonlySet<number> = new Set([400, 413, 415, 422])

export function openVectorStores(config: ResolvedConfig, server: FileServer): VectorStoreAdmin {
  const client = openServerClient(config, server)
  const pathOf = (storeId: string) => `/v1/vector_stores/${encodeURIComponent(storeId)}`
  return {
    create: async (name) => String((await client.call('POST', '/v1/vector_stores', { name })).id),
    async find(storeId) {
      await client.call('GET', pathOf(storeId))
    },
    async upload(path, onProgress) {
      try {
        const { id } = await client.upload(path, { purpose: PURPOSE, onProgress })
        return { ok: true, fileId: String(id) }
      } catch (error) {
        if (error instanceof ServerRefusal && OF_ONE_FILE.has(error.status)) return { ok: false, reason: error.message }
        throw error
      }
    },
    async attach(storeId, files) {
      const body = { files: files.map(toAttachment) }
      return String((await client.call('POST', `${pathOf(storeId)}/file_batches`, body)).id)
    },
    async counts(storeId, batchId) {
      return toCounts(await client.call('GET', `${pathOf(storeId)}/file_batches/${batchId}`))
    },
    async *failures(storeId, batchId) {
      const path = `${pathOf(storeId)}/file_batches/${batchId}/files?filter=failed&limit=100`
      for await (const { id, last_error: error } of client.list(path))
        yield { fileId: String(id), reason: isJson(error) ? String(error.message) : 'it could not be read' }
    },
    async pause() {
      await sleep(systemClock, POLL_MS)
    },
  }
}

/** The path lets a search be narrowed to a folder, and tells files of one name apart. */
const toAttachment = ({ fileId, path }: AddedFile) => ({ file_id: fileId, attributes: { path } })

function toCounts({ file_counts: counts }: Json): IngestCounts {
  const { completed, failed, cancelled, total } = isJson(counts) ? counts : {}
  const [done, bad, off] = [completed, failed, cancelled].map(Number)
  return { completed: done ?? 0, failed: (bad ?? 0) + (off ?? 0), total: Number(total) }
}
