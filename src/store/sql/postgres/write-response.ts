/** The writes of one response. Where nothing else ends with it, each is one statement, and so one commit. */
import type { ResponseRecord, RunEnding, UsageRow } from '../../store.ts'
import { type EncodedEnding, type EncodedResponse, encodeEnding, encodeRecord } from '../encode-record.ts'
import type { Sql } from '../query.ts'
import { toUsageValues } from '../row-codec.ts'
import { completeClaim } from './idempotency-store.ts'
import type { StoreParts } from './parts.ts'
import { responses } from './response-queries.ts'
import { putUsage } from './usage-queries.ts'
import { addDeliveries } from './webhook-store.ts'
import { dropTurn, endTurn } from './write-conversation.ts'

export async function startResponse(parts: StoreParts, projectId: string, record: ResponseRecord): Promise<void> {
  const { row, items } = encodeRecord(projectId, record)
  const owner = await parts.owner()
  await parts.database.get(responses.startResponse, { ...row, owner, items: JSON.stringify(items) })
}

export async function finishResponse(
  parts: StoreParts,
  projectId: string,
  record: ResponseRecord,
  usage: readonly UsageRow[],
  ending: RunEnding,
): Promise<void> {
  const encoded = encodeRecord(projectId, record)
  const bill = usageValues(projectId, usage, await parts.owner())
  if (ending.turn === null && ending.claim === null && !ending.event) {
    await parts.database.get(responses.endResponse, endValues(encoded, bill))
    return
  }
  const end = encodeEnding(projectId, ending)
  await parts.database.transaction((sql) => endResponse(sql, encoded, bill, end))
}

/** Leaves a response that has ended, or was deleted, as it is; the calls that were made are counted all the same. */
export async function endResponse(
  sql: Sql,
  record: EncodedResponse,
  usage: UsageValues,
  ending: EncodedEnding,
): Promise<void> {
  const written = await sql.get(responses.endResponse, endValues(record, usage))
  await (written === undefined ? takeBack(sql, ending) : endRun(sql, ending))
}

const endValues = ({ row, items, lengths }: EncodedResponse, usage: UsageValues) => ({
  ...row,
  ...usage,
  ...lengths,
  items: JSON.stringify(items),
})

export async function endRun(sql: Sql, { projectId, turn, claim, event }: EncodedEnding): Promise<void> {
  if (event) await addDeliveries(sql, projectId, event)
  if (turn) await endTurn(sql, turn)
  if (claim) await completeClaim(sql, projectId, claim)
}

/** The response had ended in another way, so this end of it never was. */
async function takeBack(sql: Sql, { projectId, turn, claim }: EncodedEnding): Promise<void> {
  if (turn) await dropTurn(sql, turn)
  if (claim) await completeClaim(sql, projectId, { ...claim, reply: null })
}

export async function insertUsage(sql: Sql, values: UsageValues): Promise<void> {
  await sql.run(putUsage, values)
}

export type UsageValues = ReturnType<typeof usageValues>

/** One row for each id, because a statement changes a row once; of several the one that closes counts. */
export function usageValues(projectId: string, usage: readonly UsageRow[], owner: number) {
  const byId = new Map<string, UsageRow>()
  for (const row of usage) if ((byId.get(row.id)?.outcome ?? 'running') === 'running') byId.set(row.id, row)
  return { projectId, owner, usage: JSON.stringify([...byId.values()].map((row) => toUsageValues(projectId, row))) }
}
