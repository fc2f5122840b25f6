/** The transactions that write one response. Each function runs inside a unit of the group commit. */
import type { Item } from '../../../protocol/items.ts'
import type { ProjectStore, ResponseRecord, RunEnding, UsageRow } from '../../store.ts'
import { itemKey } from '../item-key.ts'
import { queries } from '../queries.ts'
import { encodeResponse } from '../response-codec.ts'
import { toUsageValues } from '../row-codec.ts'
import type { Side } from '../tables.ts'
import type { Connection } from './connection.ts'
import { completeClaim } from './idempotency-store.ts'
import { addDeliveries } from './webhook-store.ts'
import { dropTurn, encodeTurn, endTurn } from './write-conversation.ts'

type ProjectId = ProjectStore['projectId']
type EncodedItem = { readonly side: Side; readonly position: number; readonly key: number; readonly body: string }
export type EncodedResponse = ReturnType<typeof encodeRecord>

/** Done before the unit is queued, so that the transaction holds nothing but statements. */
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

export function insertResponse(writer: Connection, record: EncodedResponse): { readonly seq: number } {
  writer.run(queries.addProject, record.row)
  const row = writer.get(queries.insertResponse, record.row)
  if (!row) throw new Error('a row that was inserted came not back')
  putItems(writer, row.seq, record)
  return row
}

/** Leaves a response that has ended, or was deleted, as it is; the calls that were made are counted all the same. */
export function endResponse(
  writer: Connection,
  record: EncodedResponse,
  usage: readonly UsageRow[],
  ending: EncodedEnding,
): void {
  writer.run(queries.addProject, record.row)
  const row = writer.get(queries.endResponse, record.row)
  if (row) {
    putItems(writer, row.seq, record)
    const { inputs, outputs } = record.lengths
    writer.run(queries.keepItems, { responseSeq: row.seq, inputs, outputs })
    endRun(writer, ending)
  } else takeBack(writer, ending)
  putUsage(writer, record.row.projectId, usage)
}

export type EncodedEnding = ReturnType<typeof encodeEnding>

export const encodeEnding = (projectId: ProjectId, ending: RunEnding) => ({
  projectId,
  turn: ending.turn === null ? null : encodeTurn(projectId, ending.turn),
  claim: ending.claim,
  event: ending.event ?? null,
})

export function endRun(writer: Connection, { projectId, turn, claim, event }: EncodedEnding): void {
  if (event) addDeliveries(writer, projectId, event)
  if (turn) endTurn(writer, turn)
  if (claim) completeClaim(writer, projectId, claim)
}

/** The response had ended in another way, so this end of it never was. */
function takeBack(writer: Connection, { projectId, turn, claim }: EncodedEnding): void {
  if (turn) dropTurn(writer, turn)
  if (claim) completeClaim(writer, projectId, { ...claim, reply: null })
}

export function insertUsage(writer: Connection, projectId: ProjectId, usage: readonly UsageRow[]): void {
  writer.run(queries.addProject, { projectId })
  putUsage(writer, projectId, usage)
}

function putUsage(writer: Connection, projectId: ProjectId, usage: readonly UsageRow[]): void {
  for (const row of usage) writer.run(queries.putUsage, toUsageValues(projectId, row))
}

function putItems(writer: Connection, responseSeq: number, { items }: EncodedResponse): void {
  for (const item of items) writer.run(queries.putItem, { responseSeq, ...item })
}
