/** Laws of idempotency keys. */
import assert from 'node:assert/strict'
import type { ClaimEnd, IdempotencyClaim, IdempotencyKey, StoredReply } from './idempotency-store.ts'
import type { ProjectStore, RunEnding } from './store.ts'
import { assistantMessage, type Law, record, running, START_SECONDS, userMessage } from './store-fixtures.contract.ts'

const KEY: IdempotencyKey = { endpoint: 'POST /v1/responses', keyDigest: 'k'.repeat(64) }
const LEASE_MS = 15_000
const DAY = 24 * 3600

const claim = (token: string, change: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  key: KEY,
  fingerprint: 'f'.repeat(64),
  token,
  leaseMs: LEASE_MS,
  expiresAt: START_SECONDS + DAY,
  ...change,
})
const ending = (token: string, reply: StoredReply | null): RunEnding => ({
  turn: null,
  claim: { key: KEY, token, reply },
})
const REPLY: StoredReply = { type: 'response', id: 'resp_1' }

export function idempotencyContract(law: Law): void {
  claiming(law)
  completing(law)
  completingWrites(law)
}

function claiming(law: Law): void {
  law('of many claims of one key one is taken, the others are in flight (req 191)', async ({ project, peer }) => {
    const other = peer.forProject('proj_a').idempotency
    const tries = Array.from({ length: 10 }, (_, n) => (n % 2 ? other : project.idempotency).claim(claim(`claim_${n}`)))
    const types = (await Promise.all(tries)).map(({ type }) => type)
    assert.equal(types.filter((type) => type === 'claimed').length, 1)
    assert.equal(types.filter((type) => type === 'in-flight').length, 9)
  })

  law('a key stands for one body, in one project and at one endpoint', async ({ store, project }) => {
    const { idempotency } = project
    await idempotency.claim(claim('claim_1'))
    assert.deepEqual(await idempotency.claim(claim('claim_2', { fingerprint: 'other' })), { type: 'other-body' })
    assert.deepEqual(await idempotency.claim(claim('claim_3', { key: { ...KEY, endpoint: 'POST /v1/other' } })), {
      type: 'claimed',
    })
    assert.deepEqual(await store.forProject('proj_b').idempotency.claim(claim('claim_4')), { type: 'claimed' })
  })

  law('a claim that is given up can be taken again, also with another body', async ({ project }) => {
    const { idempotency } = project
    await idempotency.claim(claim('claim_1'))
    await idempotency.abandon(KEY, 'claim_of_nobody')
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'in-flight' })
    await idempotency.abandon(KEY, 'claim_1')
    assert.deepEqual(await idempotency.claim(claim('claim_2', { fingerprint: 'other' })), { type: 'claimed' })
  })

  law('a claim of which nobody hears is taken over, a renewed one is not', async ({ project, clock }) => {
    const { idempotency } = project
    await idempotency.claim(claim('claim_1'))
    clock.advance(14)
    await idempotency.renew(KEY, 'claim_1', LEASE_MS)
    clock.advance(14)
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'in-flight' })
    clock.advance(1)
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'claimed' })
    await project.finishUnstored([], ending('claim_1', REPLY))
    await idempotency.renew(KEY, 'claim_1', LEASE_MS)
    assert.deepEqual(await idempotency.claim(claim('claim_3')), { type: 'in-flight' }, 'the late owner changed nothing')
  })

  law('claims of a dead process are free at the start of the next one', async ({ project, heir }) => {
    await project.idempotency.claim(claim('claim_1'))
    await project.idempotency.claim(claim('claim_2', { key: { ...KEY, keyDigest: 'done' } }))
    await project.finishUnstored([], {
      turn: null,
      claim: { key: { ...KEY, keyDigest: 'done' }, token: 'claim_2', reply: REPLY },
    })
    await (await heir()).failOrphans({ code: 'server_error', message: 'stopped' })
    assert.deepEqual(await project.idempotency.claim(claim('claim_3')), { type: 'claimed' })
    const done = await project.idempotency.claim(claim('claim_4', { key: { ...KEY, keyDigest: 'done' } }))
    assert.equal(done.type, 'done')
  })
}

function completing(law: Law): void {
  law('a claim is completed with the end of its response (req 191)', async ({ project, peer }) => {
    await project.idempotency.claim(claim('claim_1'))
    await project.finishResponse(record('resp_1'), [], ending('claim_1', REPLY))
    const { idempotency } = peer.forProject('proj_a')
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'done', reply: REPLY })
    assert.deepEqual(await idempotency.claim(claim('claim_2', { fingerprint: 'other' })), { type: 'other-body' })
  })

  law('an end that is not kept leaves the claim open, one without a reply gives it up', async ({ project }) => {
    const { idempotency } = project
    await idempotency.claim(claim('claim_1'))
    const broken = JSON.parse('[{"usage":{"input_tokens_details":{},"output_tokens_details":{}}}]')
    await assert.rejects(project.finishResponse(record('resp_1'), broken, ending('claim_1', REPLY)))
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'in-flight' })
    await project.finishResponse(record('resp_2', { status: 'failed' }), [], ending('claim_1', null))
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'claimed' })
  })

  law('a response that had ended before gives its claim up', async ({ project, heir }) => {
    await project.startResponse(running('resp_1'))
    await (await heir()).failOrphans({ code: 'server_error', message: 'stopped' })
    await project.idempotency.claim(claim('claim_1'))
    await project.finishResponse(record('resp_1'), [], ending('claim_1', REPLY))
    assert.deepEqual(await project.idempotency.claim(claim('claim_2')), { type: 'claimed' })
  })

  law('a key is free again after its time, and the purge forgets it', async ({ store, project, clock }) => {
    const { idempotency } = project
    const sealed: StoredReply = { type: 'sealed', text: 'apn1.x' }
    await idempotency.claim(claim('claim_1'))
    await project.finishUnstored([], ending('claim_1', sealed))
    clock.advance(DAY - 1)
    assert.deepEqual(await idempotency.claim(claim('claim_2')), { type: 'done', reply: sealed })
    clock.advance(1)
    const again = claim('claim_3', { fingerprint: 'other', expiresAt: START_SECONDS + 2 * DAY })
    assert.deepEqual(await idempotency.claim(again), { type: 'claimed' })
    assert.equal(await store.purgeExpired(START_SECONDS + 2 * DAY, 10), 0)
    assert.equal(await store.purgeExpired(START_SECONDS + 2 * DAY + 1, 10), 1)
  })
}

const CONVERSATION = { id: 'conv_1', object: 'conversation', created_at: START_SECONDS, metadata: {} } as const
const PROMPT = { id: 'pmpt_1', name: 'a', template: { instructions: 'x', variables: {} }, createdAt: START_SECONDS }

/** Every write that ends a claim: what it does, and the same as it fails. `end` is told what was written. */
const WRITES: readonly {
  readonly name: string
  readonly write: (project: ProjectStore, end: (written: unknown) => ClaimEnd) => Promise<unknown>
  readonly inVain: (project: ProjectStore, end: (written: unknown) => ClaimEnd) => Promise<unknown>
}[] = [
  {
    name: 'a new conversation',
    write: ({ conversations }, end) => conversations.create({ ...CONVERSATION, id: 'conv_new' }, [], end),
    inVain: ({ conversations }, end) => conversations.create(CONVERSATION, [], end).catch(() => null),
  },
  {
    name: 'metadata of a conversation',
    write: ({ conversations }, end) => conversations.setMetadata('conv_1', { a: 'b' }, end),
    inVain: ({ conversations }, end) => conversations.setMetadata('conv_never', {}, end),
  },
  {
    name: 'items of a conversation',
    write: ({ conversations }, end) => conversations.addItems('conv_1', [userMessage('msg_2', 'x')], end),
    inVain: ({ conversations }, end) => conversations.addItems('conv_1', [assistantMessage('msg_1', 'x')], end),
  },
  {
    name: 'a new prompt',
    write: ({ prompts }, end) => prompts.create({ ...PROMPT, id: 'pmpt_new' }, 10, end),
    inVain: ({ prompts }, end) => prompts.create({ ...PROMPT, id: 'pmpt_new' }, 1, end),
  },
  {
    name: 'a version of a prompt',
    write: ({ prompts }, end) => prompts.addVersion(PROMPT, 10, end),
    inVain: ({ prompts }, end) => prompts.addVersion(PROMPT, 1, end),
  },
  {
    name: 'the default version of a prompt',
    write: ({ prompts }, end) => prompts.setDefault('pmpt_1', 1, end),
    inVain: ({ prompts }, end) => prompts.setDefault('pmpt_1', 7, end),
  },
]

function completingWrites(law: Law): void {
  for (const { name, write, inVain } of WRITES) {
    law(`a claim is completed with ${name}, and left open when that is not written (req 191)`, async (fixture) => {
      const { project, peer } = fixture
      await project.conversations.create(CONVERSATION, [userMessage('msg_1', 'x')])
      await project.prompts.create(PROMPT, 10)
      await project.idempotency.claim(claim('claim_1'))
      const told: unknown[] = []
      const end = (written: unknown): ClaimEnd => {
        told.push(written)
        return { key: KEY, token: 'claim_1', reply: { type: 'none' } }
      }
      await inVain(project, end)
      const other = peer.forProject('proj_a').idempotency
      assert.deepEqual(await other.claim(claim('claim_2')), { type: 'in-flight' })
      await write(project, end)
      assert.deepEqual(await other.claim(claim('claim_2')), { type: 'done', reply: { type: 'none' } })
      assert.equal(typeof told.at(-1), 'object')
    })
  }
}
