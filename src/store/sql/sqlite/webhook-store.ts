/** Webhook endpoints and their deliveries: of one project for their owner, of all for the one who sends them. */
import type {
  DeliveryBatch,
  StoredWebhook,
  WebhookEvent,
  WebhookPage,
  WebhookQueue,
  WebhookStore,
} from '../../webhook-store.ts'
import { queries } from '../queries.ts'
import { fromDeliveryRow, fromDueRow, fromWebhookRow, toWebhookValues } from '../webhook-codec.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { claimEnder } from './idempotency-store.ts'

type Parts = { readonly writer: Connection; readonly reader: Connection; readonly commits: GroupCommit }

export function createWebhookStore({ writer, reader, commits }: Parts, projectId: string): WebhookStore {
  const endClaimWith = claimEnder(writer, projectId)
  const find = (connection: Connection, id: string): StoredWebhook | null => {
    const row = connection.get(queries.getWebhook, { projectId, id })
    return row ? fromWebhookRow(row) : null
  }
  const findDelivery = (connection: Connection, endpointId: string, eventId: string) => {
    const row = connection.get(queries.getDelivery, { projectId, endpointId, eventId })
    return row ? fromDeliveryRow(row) : null
  }
  return {
    create: (endpoint, maxEndpoints, endClaim) =>
      commits.write((): StoredWebhook | 'full' => {
        writer.run(queries.addProject, { projectId })
        if ((writer.get(queries.countWebhooks, { projectId })?.endpoints ?? 0) >= maxEndpoints) return 'full'
        writer.run(queries.insertWebhook, toWebhookValues(projectId, endpoint))
        return endClaimWith(endpoint, endClaim)
      }),
    get: async (id) => find(reader, id),
    async list({ after, ...page }) {
      const values = { projectId, limit: page.limit }
      const rows =
        after === null
          ? reader.all(isRising(page) ? queries.listWebhooksUp : queries.listWebhooksDown, values)
          : reader.all(isRising(page) ? queries.listWebhooksUpAfter : queries.listWebhooksDownAfter, {
              ...values,
              after,
            })
      return rows.map(fromWebhookRow)
    },
    change: (id, change) =>
      commits.write(() => {
        const before = find(writer, id)
        if (before === null) return null
        const after = { ...before, ...change }
        writer.run(queries.changeWebhook, toWebhookValues(projectId, after))
        return after
      }),
    delete: (id) => commits.write(() => writer.run(queries.deleteWebhook, { projectId, id }) > 0),
    async listDeliveries(endpointId, { after, ...page }) {
      const values = { projectId, endpointId, limit: page.limit }
      const rows =
        after === null
          ? reader.all(isRising(page) ? queries.listDeliveriesUp : queries.listDeliveriesDown, values)
          : reader.all(isRising(page) ? queries.listDeliveriesUpAfter : queries.listDeliveriesDownAfter, {
              ...values,
              after,
            })
      return rows.map(fromDeliveryRow)
    },
    getDelivery: async (endpointId, eventId) => findDelivery(reader, endpointId, eventId),
    redeliver: (endpointId, eventId, now) =>
      commits.write(() => {
        writer.run(queries.redeliver, { projectId, endpointId, eventId, now })
        return findDelivery(writer, endpointId, eventId)
      }),
  }
}

const isRising = ({ order }: Pick<WebhookPage, 'order'>) => order === 'asc'

export function createWebhookQueue({ writer, reader, commits }: Parts): WebhookQueue {
  return {
    take: (batch) => commits.write(() => take(writer, batch)),
    async settle({ seq, attempts }, end) {
      await commits.write(() => writer.run(queries.settleDelivery, { seq, attempts, ...end }))
    },
    nextDueAt: async () => reader.get(queries.nextDelivery, {})?.due ?? null,
    async setConfigured(endpoints) {
      const kept = JSON.stringify(endpoints.map(({ projectId, id }) => ({ projectId, id })))
      await commits.write(() => {
        writer.run(queries.deleteConfiguredWebhooks, { kept })
        for (const { projectId, ...endpoint } of endpoints) {
          writer.run(queries.addProject, { projectId })
          writer.run(queries.putConfiguredWebhook, toWebhookValues(projectId, endpoint))
        }
      })
    },
  }
}

function take(writer: Connection, { now, leaseMs, limit, perEndpoint }: DeliveryBatch) {
  const taken = writer.all(queries.takeDeliveries, { now, until: now + leaseMs, limit, perEndpoint })
  const rows = taken.flatMap(({ seq }) => writer.get(queries.getDue, { seq }) ?? [])
  return rows.map(fromDueRow)
}

/** Runs inside the unit that ends the response. */
export function addDeliveries(writer: Connection, projectId: string, event: WebhookEvent): void {
  const { id: eventId, type: eventType, ...rest } = event
  writer.run(queries.addDeliveries, { projectId, eventId, eventType, ...rest })
}
