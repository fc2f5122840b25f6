/** The writes of one response. Where nothing else ends with it, each is one statement, and so one commit. */
import type { ResponseRecord, RunEnding, UsageRow } from '../../store.ts'
import { type EncodedEnding, type EncodedResponse, encodeEnding, encodeRecord } from '../encode-record.ts'
import { toUsageValues } from '../row-codec.ts'
import type { Sql } from './database.ts'
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
  const values = endValues(encodeRecord(projectId, record), usageValues(projectId, usage, await parts.owner()))
  if (ending.turn === null && ending.claim === null && !ending.event) {
    await parts.database.get(responses.endResponse, values)
    return
  }
  const encoded = encodeEnding(projectId, ending)
  await parts.database.transaction(async (sql) => {
    const written = await sql.get(responses.endResponse, values)
    await (written === undefined ? takeBack(sql, encoded) : endRun(sql, encoded))
  })
}

const endValues = ({ row, items, lengths }: EncodedResponse, usage: ReturnType<typeof usageValues>) => ({
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

export async function insertUsage(sql: Sql, values: ReturnType<typeof usageValues>): Promise<void> {
  await sql.run(putUsage, values)
}

/** One row for each id, because a statement changes a row once; of several the one that closes counts. */
export function usageValues(projectId: string, usage: readonly UsageRow[], owner: number) {
  const byId = new Map<string, UsageRow>()
  for (const row of usage) if ((byId.get(row.id)?.outcome ?? 'running') === 'running') byId.set(row.id, row)
  return { projectId, owner, usage: JSON.stringify([...byId.values()].map((row) => toUsageValues(projectId, row))) }
}
