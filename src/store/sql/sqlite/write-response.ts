/** The transactions that write one response. Each function runs inside a unit of the group commit. */
import type { ProjectStore, UsageRow } from '../../store.ts'
import type { EncodedEnding, EncodedResponse } from '../encode-record.ts'
import { queries } from '../queries.ts'
import { toUsageValues } from '../row-codec.ts'
import type { Connection } from './connection.ts'
import { completeClaim } from './idempotency-store.ts'
import { addDeliveries } from './webhook-store.ts'
import { dropTurn, endTurn } from './write-conversation.ts'

type ProjectId = ProjectStore['projectId']

export function insertResponse(writer: Connection, record: EncodedResponse): void {
  writer.run(queries.addProject, record.row)
  const row = writer.get(queries.insertResponse, record.row)
  if (row) putItems(writer, row.seq, record)
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
