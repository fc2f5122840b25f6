/** Laws of webhooks: where events are sent, and which of them have arrived. */
import assert from 'node:assert/strict'
import type { WebhookEventType } from '../protocol/webhooks.ts'
import type { ProjectStore } from './store.ts'
import { type Fixture, type Law, record, running, START_SECONDS } from './store-fixtures.contract.ts'
import type { DueDelivery, StoredWebhook, WebhookEvent } from './webhook-store.ts'

const MANY = 100
const LEASE_MS = 30_000
const PAGE = { limit: 10, order: 'asc', after: null } as const

const endpoint = (id: string, change: Partial<StoredWebhook> = {}): StoredWebhook => ({
  id,
  name: `endpoint ${id}`,
  url: 'https://receiver.example/hook',
  eventTypes: ['response.completed', 'response.failed'],
  secret: `sealed ${id}`,
  secretHint: 'whsec_...abcd',
  previousSecret: null,
  previousUntil: null,
  configured: false,
  createdAt: START_SECONDS,
  updatedAt: START_SECONDS,
  ...change,
})

const event = (id: string, responseId: string, type: WebhookEventType = 'response.completed'): WebhookEvent => ({
  id,
  type,
  responseId,
  createdAt: START_SECONDS,
  expiresAt: START_SECONDS + 100,
})

async function end(project: ProjectStore, id: string, told: WebhookEvent): Promise<void> {
  await project.startResponse(running(id))
  await project.finishResponse(record(id), [], { turn: null, claim: null, event: told })
}

const take = ({ store, clock }: Fixture, change: { limit?: number; perEndpoint?: number } = {}) =>
  store.webhooks.take({ now: clock.now(), leaseMs: LEASE_MS, limit: MANY, perEndpoint: MANY, ...change })

const arrived = (at: number) =>
  ({ status: 'delivered', at, statusCode: 200, error: null, nextAttemptAt: null }) as const
const idsOf = (taken: readonly DueDelivery[]) => taken.map(({ event: { id } }) => id).sort()

export function webhookContract(law: Law): void {
  endpoints(law)
  deliveries(law)
  leases(law)
}

function endpoints(law: Law): void {
  law('a webhook endpoint is kept, listed, changed, and deleted with its deliveries', async (fixture) => {
    const { project } = fixture
    const made = endpoint('whe_1')
    assert.deepEqual(await project.webhooks.create(made, MANY), made)
    await project.webhooks.create(endpoint('whe_2'), MANY)
    assert.deepEqual(await project.webhooks.get('whe_1'), made)
    assert.deepEqual(
      (await project.webhooks.list(PAGE)).map(({ id }) => id),
      ['whe_1', 'whe_2'],
    )
    assert.deepEqual(
      (await project.webhooks.list({ ...PAGE, order: 'desc' })).map(({ id }) => id),
      ['whe_2', 'whe_1'],
    )
    assert.deepEqual(
      (await project.webhooks.list({ ...PAGE, after: 'whe_1' })).map(({ id }) => id),
      ['whe_2'],
    )
    const change = {
      url: 'https://other.example/',
      eventTypes: ['response.cancelled'],
      updatedAt: START_SECONDS + 5,
    } as const
    assert.deepEqual(await project.webhooks.change('whe_1', change), { ...made, ...change })
    assert.deepEqual(await project.webhooks.get('whe_1'), { ...made, ...change })
    await end(project, 'resp_1', event('evt_1', 'resp_1', 'response.completed'))
    assert.equal(await project.webhooks.delete('whe_2'), true)
    assert.equal(await project.webhooks.delete('whe_2'), false)
    assert.deepEqual(await take(fixture), [])
    assert.equal(await project.webhooks.change('whe_2', { updatedAt: 0 }), null)
  })

  law('a project has no more webhook endpoints than it may, also when they are made at once', async ({ project }) => {
    const made = await Promise.all(['whe_1', 'whe_2', 'whe_3'].map((id) => project.webhooks.create(endpoint(id), 2)))
    assert.equal(made.filter((it) => it === 'full').length, 1)
  })

  law('another project sees no endpoint and no delivery, and its ends are not told here', async (fixture) => {
    const { store, project } = fixture
    const stranger = store.forProject('proj_stranger')
    await project.webhooks.create(endpoint('whe_1'), MANY)
    await end(stranger, 'resp_s', event('evt_s', 'resp_s'))
    assert.deepEqual(await take(fixture), [])
    await end(project, 'resp_1', event('evt_1', 'resp_1'))
    assert.equal(await stranger.webhooks.get('whe_1'), null)
    assert.deepEqual(await stranger.webhooks.list(PAGE), [])
    assert.deepEqual(await stranger.webhooks.listDeliveries('whe_1', PAGE), [])
    assert.equal(await stranger.webhooks.getDelivery('whe_1', 'evt_1'), null)
    assert.equal(await stranger.webhooks.redeliver('whe_1', 'evt_1', 0), null)
    assert.equal(await stranger.webhooks.change('whe_1', { name: 'mine', updatedAt: 0 }), null)
    assert.equal(await stranger.webhooks.delete('whe_1'), false)
  })

  law('endpoints of the configuration come, change and go with it, and leave the others alone', async (fixture) => {
    const { store, project } = fixture
    const { projectId } = project
    const own = endpoint('whe_own')
    await project.webhooks.create(own, MANY)
    const configured = { ...endpoint('whe_a', { configured: true }), projectId }
    const other = { ...endpoint('whe_b', { configured: true }), projectId: 'proj_other' }
    await store.webhooks.setConfigured([configured, other])
    await end(project, 'resp_1', event('evt_1', 'resp_1'))
    await store.webhooks.setConfigured([{ ...configured, url: 'https://moved.example/' }])
    assert.equal((await project.webhooks.get('whe_a'))?.url, 'https://moved.example/')
    assert.equal(await store.forProject('proj_other').webhooks.get('whe_b'), null)
    assert.equal((await project.webhooks.listDeliveries('whe_a', PAGE)).length, 1, 'what is due stays due')
    await store.webhooks.setConfigured([])
    assert.deepEqual(await project.webhooks.list(PAGE), [own])
  })
}

function deliveries(law: Law): void {
  law(
    'the end of a response is due at every endpoint that wants it, once, with all that is needed to send it',
    async (fixture) => {
      const { project, clock } = fixture
      await project.webhooks.create(endpoint('whe_1'), MANY)
      await project.webhooks.create(endpoint('whe_2'), MANY)
      await project.webhooks.create(endpoint('whe_3', { eventTypes: ['response.cancelled'] }), MANY)
      await end(project, 'resp_1', event('evt_1', 'resp_1'))
      const taken = await take(fixture)
      assert.deepEqual(taken.map((it) => it.endpoint.id).sort(), ['whe_1', 'whe_2'])
      const [first] = taken
      const { expiresAt: _, ...told } = event('evt_1', 'resp_1')
      assert.deepEqual(first?.event, told)
      assert.deepEqual([first?.attempts, first?.projectId], [1, project.projectId])
      assert.deepEqual(first?.endpoint, {
        id: first?.endpoint.id,
        url: 'https://receiver.example/hook',
        secret: `sealed ${first?.endpoint.id}`,
        previousSecret: null,
        previousUntil: null,
      })
      for (const it of taken) await fixture.store.webhooks.settle(it, arrived(clock.now()))
      assert.equal(await fixture.store.webhooks.nextDueAt(), null)
      assert.deepEqual(await project.webhooks.getDelivery('whe_1', 'evt_1'), {
        event: told,
        status: 'delivered',
        attempts: 1,
        nextAttemptAt: null,
        lastAttemptAt: clock.now(),
        lastStatusCode: 200,
        lastError: null,
      })
      assert.equal(await project.webhooks.getDelivery('whe_3', 'evt_1'), null)
    },
  )

  law('an end that came too late is told to nobody: the response had ended before', async (fixture) => {
    const { project } = fixture
    await project.webhooks.create(endpoint('whe_1'), MANY)
    await end(project, 'resp_1', event('evt_1', 'resp_1'))
    const late = { turn: null, claim: null, event: event('evt_2', 'resp_1') }
    await project.finishResponse(record('resp_1', { status: 'failed' }), [], late)
    assert.deepEqual(idsOf(await take(fixture)), ['evt_1'])
  })

  law('the log of deliveries is read page by page, and forgets what is settled and old', async (fixture) => {
    const { project, store, clock } = fixture
    await project.webhooks.create(endpoint('whe_1'), MANY)
    for (const n of [1, 2, 3]) await end(project, `resp_${n}`, event(`evt_${n}`, `resp_${n}`))
    const ids = async (page: object) =>
      (await project.webhooks.listDeliveries('whe_1', { ...PAGE, ...page })).map((it) => it.event.id)
    assert.deepEqual(await ids({}), ['evt_1', 'evt_2', 'evt_3'])
    assert.deepEqual(await ids({ order: 'desc', limit: 2 }), ['evt_3', 'evt_2'])
    assert.deepEqual(await ids({ order: 'desc', after: 'evt_2' }), ['evt_1'])
    const [first] = await take(fixture, { perEndpoint: 1 })
    assert.ok(first)
    await store.webhooks.settle(first, arrived(clock.now()))
    await store.purgeExpired(START_SECONDS + 99, MANY)
    assert.equal((await ids({})).length, 3)
    await store.purgeExpired(START_SECONDS + 100, MANY)
    assert.equal((await ids({})).length, 2, 'what is still to be sent stays')
  })

  law('a delivery that was given up can be sent again, with all its attempts before it', async (fixture) => {
    const { project, store, clock } = fixture
    await project.webhooks.create(endpoint('whe_1'), MANY)
    await end(project, 'resp_1', event('evt_1', 'resp_1'))
    const [taken] = await take(fixture)
    assert.ok(taken)
    const end_ = {
      status: 'failed',
      at: clock.now(),
      statusCode: 500,
      error: 'it answered 500',
      nextAttemptAt: null,
    } as const
    await store.webhooks.settle(taken, end_)
    assert.deepEqual(await take(fixture), [])
    const again = await project.webhooks.redeliver('whe_1', 'evt_1', clock.now())
    assert.deepEqual([again?.status, again?.attempts, again?.lastStatusCode], ['pending', 0, 500])
    assert.deepEqual(idsOf(await take(fixture)), ['evt_1'])
    assert.equal(await project.webhooks.redeliver('whe_1', 'evt_9', clock.now()), null)
  })
}

function leases(law: Law): void {
  law('a delivery is handed out once, and again when whoever took it does not settle it', async (fixture) => {
    const { project, store, clock } = fixture
    await project.webhooks.create(endpoint('whe_1'), MANY)
    await end(project, 'resp_1', event('evt_1', 'resp_1'))
    const both = await Promise.all([take(fixture), take(fixture)])
    const [lost] = both.flat()
    assert.ok(lost)
    assert.equal(both.flat().length, 1)
    clock.advance(LEASE_MS / 1000)
    const [again] = await take(fixture)
    assert.equal(again?.attempts, 2)
    await store.webhooks.settle(lost, { ...arrived(clock.now()), status: 'failed' })
    assert.equal((await project.webhooks.getDelivery('whe_1', 'evt_1'))?.status, 'pending', 'too late to say so')
    assert.ok(again)
    await store.webhooks.settle(again, arrived(clock.now()))
    assert.equal((await project.webhooks.getDelivery('whe_1', 'evt_1'))?.status, 'delivered')
  })

  law('an endpoint gets its next batch when its last one is settled, whatever the others do', async (fixture) => {
    const { project, store, clock } = fixture
    await project.webhooks.create(endpoint('whe_dead'), MANY)
    for (const n of [1, 2, 3]) await end(project, `resp_${n}`, event(`evt_${n}`, `resp_${n}`))
    const dead = await take(fixture, { perEndpoint: 2 })
    assert.deepEqual(idsOf(dead), ['evt_1', 'evt_2'])
    await project.webhooks.create(endpoint('whe_live'), MANY)
    await end(project, 'resp_4', event('evt_4', 'resp_4'))
    const live = await take(fixture, { perEndpoint: 2 })
    assert.deepEqual(
      live.map((it) => [it.endpoint.id, it.event.id]),
      [['whe_live', 'evt_4']],
    )
    const later = {
      status: 'pending',
      at: clock.now(),
      statusCode: null,
      error: 'no',
      nextAttemptAt: clock.now() + 5_000,
    } as const
    for (const it of dead) await store.webhooks.settle(it, later)
    assert.deepEqual(idsOf(await take(fixture, { perEndpoint: 2 })), ['evt_3', 'evt_4'])
    assert.equal(await store.webhooks.nextDueAt(), clock.now() + 5_000)
  })
}
