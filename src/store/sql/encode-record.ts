/** A response as the values of its rows. Done before a write is queued, so that the transaction holds nothing but statements. */
import type { Item } from '../../protocol/items.ts'
import type { ProjectStore, ResponseRecord, RunEnding } from '../store.ts'
import { encodeTurn } from './encode-conversation.ts'
import { itemKey } from './item-key.ts'
import { encodeResponse } from './response-codec.ts'
import type { Side } from './tables.ts'

type ProjectId = ProjectStore['projectId']
type EncodedItem = { readonly side: Side; readonly position: number; readonly key: number; readonly body: string }
export type EncodedResponse = ReturnType<typeof encodeRecord>

export function encodeRecord(projectId: ProjectId, { response, input, carried, expiresAt }: ResponseRecord) {
  const items = [...encodeItems(projectId, 'input', input), ...encodeItems(projectId, 'output', response.output)]
  const carriedText = carried ? JSON.stringify(carried) : null
  return {
    items,
    lengths: { inputs: input.length, outputs: response.output.length },
    row: {
      projectId,
      id: response.id,
      createdAt: response.created_at,
      status: response.status,
      previousId: response.previous_response_id,
      expiresAt,
      itemBytes: items.reduce(
        (bytes, { body }) => bytes + Buffer.byteLength(body),
        Buffer.byteLength(carriedText ?? ''),
      ),
      body: encodeResponse(response),
      carried: carriedText,
    },
  }
}

const encodeItems = (projectId: ProjectId, side: Side, items: readonly Item[]): EncodedItem[] =>
  items.map((item, position) => ({ side, position, key: itemKey(projectId, item.id), body: JSON.stringify(item) }))

export type EncodedEnding = ReturnType<typeof encodeEnding>

export const encodeEnding = (projectId: ProjectId, ending: RunEnding) => ({
  projectId,
  turn: ending.turn === null ? null : encodeTurn(projectId, ending.turn),
  claim: ending.claim,
  event: ending.event ?? null,
})
