/** Webhook endpoints and their deliveries: of one project for their owner, of all for the one who sends them. */
import type { StoredWebhook, WebhookEvent, WebhookPage, WebhookQueue, WebhookStore } from '../../webhook-store.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { fromDeliveryRow, fromDueRow, fromWebhookRow, toWebhookValues } from '../webhook-codec.ts'
import { holdProject } from './hold-project.ts'
import { claimEnder } from './idempotency-store.ts'
import type { StoreParts } from './parts.ts'
import { rowNumbers } from './wanted-items.ts'
import { webhooks } from './webhook-queries.ts'

export function createWebhookStore({ database, ensureProject }: StoreParts, projectId: string): WebhookStore {
  const endClaimWith = claimEnder(projectId)
  const findDelivery = async (sql: Sql, endpointId: string, eventId: string) => {
    const row = await sql.get(queries.getDelivery, { projectId, endpointId, eventId })
    return row ? fromDeliveryRow(row) : null
  }
  return {
    async create(endpoint, maxEndpoints, endClaim) {
      await ensureProject(projectId)
      return database.transaction(async (sql): Promise<StoredWebhook | 'full'> => {
        await sql.get(holdProject, { projectId })
        if (((await sql.get(queries.countWebhooks, { projectId }))?.endpoints ?? 0) >= maxEndpoints) return 'full'
        await sql.run(queries.insertWebhook, toWebhookValues(projectId, endpoint))
        return endClaimWith(sql, endpoint, endClaim)
      })
    },
    async get(id) {
      const row = await database.get(queries.getWebhook, { projectId, id })
      return row ? fromWebhookRow(row) : null
    },
    async list({ after, ...page }) {
      const values = { projectId, limit: page.limit }
      const rows =
        after === null
          ? await database.all(isRising(page) ? queries.listWebhooksUp : queries.listWebhooksDown, values)
          : await database.all(isRising(page) ? queries.listWebhooksUpAfter : queries.listWebhooksDownAfter, {
              ...values,
              after,
            })
      return rows.map(fromWebhookRow)
    },
    change: (id, change) =>
      database.transaction(async (sql) => {
        const row = await sql.get(webhooks.holdWebhook, { projectId, id })
        if (!row) return null
        const after = { ...fromWebhookRow(row), ...change }
        await sql.run(queries.changeWebhook, toWebhookValues(projectId, after))
        return after
      }),
    delete: async (id) => (await database.run(queries.deleteWebhook, { projectId, id })) > 0,
    async listDeliveries(endpointId, { after, ...page }) {
      const values = { projectId, endpointId, limit: page.limit }
      const rows =
        after === null
          ? await database.all(isRising(page) ? queries.listDeliveriesUp : queries.listDeliveriesDown, values)
          : await database.all(isRising(page) ? queries.listDeliveriesUpAfter : queries.listDeliveriesDownAfter, {
              ...values,
              after,
            })
      return rows.map(fromDeliveryRow)
    },
    getDelivery: (endpointId, eventId) => findDelivery(database, endpointId, eventId),
    redeliver: (endpointId, eventId, now) =>
      database.transaction(async (sql) => {
        await sql.run(queries.redeliver, { projectId, endpointId, eventId, now })
        return findDelivery(sql, endpointId, eventId)
      }),
  }
}

const isRising = ({ order }: Pick<WebhookPage, 'order'>) => order === 'asc'

export const createWebhookQueue = ({ database, ensureProject }: StoreParts): WebhookQueue => ({
  take: ({ now, leaseMs, limit, perEndpoint }) =>
    database.transaction(async (sql) => {
      await sql.get(webhooks.lockQueue, {})
      const taken = await sql.all(queries.takeDeliveries, { now, until: now + leaseMs, limit, perEndpoint })
      if (taken.length === 0) return []
      const seqs = rowNumbers(taken.map(({ seq }) => seq))
      return (await sql.all(webhooks.getAllDue, { seqs })).map(fromDueRow)
    }),
  async settle({ seq, attempts }, end) {
    await database.run(queries.settleDelivery, { seq, attempts, ...end })
  },
  nextDueAt: async () => (await database.get(queries.nextDelivery, {}))?.due ?? null,
  async setConfigured(endpoints) {
    const kept = JSON.stringify(endpoints.map(({ projectId, id }) => ({ projectId, id })))
    for (const { projectId } of endpoints) await ensureProject(projectId)
    await database.transaction(async (sql) => {
      await sql.run(webhooks.deleteConfigured, { kept })
      for (const { projectId, ...endpoint } of endpoints) {
        await sql.run(queries.putConfiguredWebhook, toWebhookValues(projectId, endpoint))
      }
    })
  },
})

/** Runs inside the transaction that ends the response. */
export async function addDeliveries(sql: Sql, projectId: string, event: WebhookEvent): Promise<void> {
  const { id: eventId, type: eventType, ...rest } = event
  await sql.run(webhooks.addDeliveries, { projectId, eventId, eventType, ...rest })
}
