/** The responses and items of one project. Reads see what is committed; writes resolve once they are. */

import { type Clock, seconds } from '../../../lib/clock.ts'
import type { Item } from '../../../protocol/items.ts'
import type { ProjectStore } from '../../store.ts'
import { encodeEnding, encodeRecord } from '../encode-record.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import { decodeResponse } from '../response-codec.ts'
import type { Connection } from './connection.ts'
import { createConversationStore, getConversationItems } from './conversation-store.ts'
import { createFileStore } from './file-store.ts'
import type { GroupCommit } from './group-commit.ts'
import { createIdempotencyStore } from './idempotency-store.ts'
import { createPromptStore } from './prompt-store.ts'
import { readChain } from './read-chain.ts'
import { deleteResponse } from './remove-responses.ts'
import { createWebhookStore } from './webhook-store.ts'
import { endResponse, endRun, insertResponse, insertUsage } from './write-response.ts'

export type StoreParts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
}

const NO_ENDING = { turn: null, claim: null }

export function createProjectStore(parts: StoreParts, projectId: string): ProjectStore {
  const { writer, reader, commits, clock } = parts
  return {
    projectId,
    prompts: createPromptStore(parts, projectId),
    webhooks: createWebhookStore(parts, projectId),
    files: createFileStore(parts, projectId),
    conversations: createConversationStore(parts, projectId),
    idempotency: createIdempotencyStore(parts, projectId),
    async startResponse(record) {
      const encoded = encodeRecord(projectId, record)
      await commits.write(() => insertResponse(writer, encoded))
    },
    async finishResponse(record, usage, ending = NO_ENDING) {
      const encoded = encodeRecord(projectId, record)
      const end = encodeEnding(projectId, ending)
      await commits.write(() => endResponse(writer, encoded, usage, end))
    },
    async finishUnstored(usage, ending) {
      const end = encodeEnding(projectId, ending)
      await commits.write(() => {
        endRun(writer, end)
        insertUsage(writer, projectId, usage)
      })
    },
    async recordUsage(rows) {
      if (rows.length > 0) await commits.writeLate(() => insertUsage(writer, projectId, rows))
    },
    openUsage: (rows) => commits.write(() => insertUsage(writer, projectId, rows)),
    async getResponse(id) {
      const row = reader.get(queries.getResponse, { projectId, id, now: seconds(clock) })
      if (!row || row.status === 'deleted') return null
      return decodeResponse({ ...row, status: row.status })
    },
    async readChain(id, limits) {
      return readChain(reader, { projectId, id, now: seconds(clock) }, limits)
    },
    async getItems(ids) {
      const wanted = JSON.stringify(ids.map((id) => ({ key: itemKey(projectId, id), id })))
      const rows = reader.all(queries.getItems, { projectId, wanted, now: seconds(clock) })
      const found = new Map<string, Item>()
      for (const row of rows) {
        const item: Item = JSON.parse(row.body)
        found.set(item.id, item)
      }
      const missing = ids.filter((id) => !found.has(id))
      for (const item of getConversationItems(parts, projectId, missing)) found.set(item.id, item)
      return found
    },
    deleteResponse: (id) => commits.write(() => deleteResponse(writer, { projectId }, id, seconds(clock))),
  }
}
