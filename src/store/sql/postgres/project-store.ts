/** The responses and items of one project. Reads see what is committed; writes resolve once they are. */

import { seconds } from '../../../lib/clock.ts'
import type { Item } from '../../../protocol/items.ts'
import type { ProjectStore } from '../../store.ts'
import { toItem } from '../encode-conversation.ts'
import { encodeEnding } from '../encode-record.ts'
import { queries } from '../queries.ts'
import { decodeResponse } from '../response-codec.ts'
import { createConversationStore, getConversationItems } from './conversation-store.ts'
import { createEventLog } from './event-log.ts'
import { createFileStore } from './file-store.ts'
import { createIdempotencyStore } from './idempotency-store.ts'
import { createProjectJobs } from './job-store.ts'
import type { StoreParts } from './parts.ts'
import { createPromptStore } from './prompt-store.ts'
import { readChain } from './read-chain.ts'
import { deleteResponse } from './remove-responses.ts'
import { responses } from './response-queries.ts'
import { createVectorStoreCatalog } from './vector-store-catalog.ts'
import { wantedItems } from './wanted-items.ts'
import { createWebhookStore } from './webhook-store.ts'
import { endRun, finishResponse, insertUsage, startResponse, usageValues } from './write-response.ts'

const NO_ENDING = { turn: null, claim: null }

export function createProjectStore(parts: StoreParts, projectId: string): ProjectStore {
  const { database, clock } = parts
  const writeUsage: ProjectStore['openUsage'] = async (rows) => {
    if (rows.length === 0) return
    await parts.ensureProject(projectId)
    await insertUsage(database, usageValues(projectId, rows, await parts.owner()))
  }
  return {
    projectId,
    vectorStores: createVectorStoreCatalog(parts, projectId),
    prompts: createPromptStore(parts, projectId),
    conversations: createConversationStore(parts, projectId),
    idempotency: createIdempotencyStore(parts, projectId),
    jobs: createProjectJobs(parts, projectId),
    events: createEventLog(parts, projectId),
    files: createFileStore(parts, projectId),
    webhooks: createWebhookStore(parts, projectId),
    async startResponse(record) {
      await parts.ensureProject(projectId)
      await startResponse(parts, projectId, record)
    },
    async finishResponse(record, usage, ending = NO_ENDING) {
      await parts.ensureProject(projectId)
      await finishResponse(parts, projectId, record, usage, ending)
    },
    async finishUnstored(usage, ending) {
      await parts.ensureProject(projectId)
      const values = usageValues(projectId, usage, await parts.owner())
      const encoded = encodeEnding(projectId, ending)
      await database.transaction(async (sql) => {
        await endRun(sql, encoded)
        if (usage.length > 0) await insertUsage(sql, values)
      })
    },
    recordUsage: (rows) => parts.outlast(writeUsage(rows)),
    openUsage: writeUsage,
    async getResponse(id) {
      const row = await database.get(queries.getResponse, { projectId, id, now: seconds(clock) })
      if (!row || row.status === 'deleted') return null
      return decodeResponse({ ...row, status: row.status })
    },
    readChain: (id, limits) => readChain(database, { projectId, id, now: seconds(clock) }, limits),
    async getItems(ids) {
      const found = new Map<string, Item>()
      if (ids.length === 0) return found
      const wanted = wantedItems(projectId, ids)
      const rows = await database.all(responses.getItems, { projectId, wanted, now: seconds(clock) })
      for (const item of rows.map(toItem)) found.set(item.id, item)
      const missing = ids.filter((id) => !found.has(id))
      for (const item of await getConversationItems(parts, projectId, missing)) found.set(item.id, item)
      return found
    },
    deleteResponse: (id) => deleteResponse(database, projectId, id, seconds(clock)),
  }
}
