/** Laws of conversations: their items, their lock, and the turn that ends together with a response. */
import assert from 'node:assert/strict'
import type { Conversation } from '../protocol/conversation.ts'
import type { ConversationStore, ItemPageQuery } from './conversation-store.ts'
import type { ProjectStore, RunEnding } from './store.ts'
import {
  assistantMessage,
  type Law,
  record,
  running,
  START_SECONDS,
  usageRow,
  userMessage,
} from './store-fixtures.contract.ts'

const MAX_BYTES = 1_000_000
const LEASE_MS = 15_000
const FIRST_PAGE: ItemPageQuery = { limit: 20, order: 'asc', after: null }

const conversation = (id: string, change: Partial<Conversation> = {}): Conversation => ({
  id,
  object: 'conversation',
  created_at: START_SECONDS,
  metadata: {},
  ...change,
})
const messages = (...ids: string[]) => ids.map((id) => userMessage(id, `text of ${id}`))
const turn = (token: string, ...ids: string[]): RunEnding => ({
  turn: { conversationId: 'conv_1', token, items: messages(...ids) },
  claim: null,
})
const NO_TURN: RunEnding = { turn: null, claim: null }

async function idsOf(conversations: ConversationStore, id = 'conv_1', page = FIRST_PAGE) {
  const result = await conversations.listItems(id, page)
  return result.type === 'page' ? result.items.map((item) => item.id) : result.type
}
async function open(project: ProjectStore, ...ids: string[]): Promise<ConversationStore> {
  await project.conversations.create(conversation('conv_1'), messages(...ids))
  return project.conversations
}

export function conversationContract(law: Law): void {
  keeping(law)
  items(law)
  locking(law)
  turns(law)
  deleting(law)
}

function keeping(law: Law): void {
  law('a conversation is read back as it was written, through another connection too', async ({ project, peer }) => {
    const written = conversation('conv_1', { metadata: { topic: 'ünï 🙂', empty: '' } })
    await project.conversations.create(written, [])
    assert.deepEqual(await peer.forProject('proj_a').conversations.get('conv_1'), written)
    assert.equal(await project.conversations.get('conv_2'), null)
  })

  law('metadata is replaced as a whole', async ({ project }) => {
    const { conversations } = project
    await conversations.create(conversation('conv_1', { metadata: { a: '1' } }), [])
    const changed = conversation('conv_1', { metadata: { b: '2' } })
    assert.deepEqual(await conversations.setMetadata('conv_1', { b: '2' }), changed)
    assert.deepEqual(await conversations.get('conv_1'), changed)
    assert.equal(await conversations.setMetadata('conv_2', {}), null)
  })

  law('to another project a conversation and its items do not exist', async ({ store, project }) => {
    await open(project, 'msg_1')
    const foreign = store.forProject('proj_b')
    const { conversations } = foreign
    assert.equal(await conversations.get('conv_1'), null)
    assert.equal(await conversations.setMetadata('conv_1', {}), null)
    assert.equal(await conversations.delete('conv_1', null), 'unknown')
    assert.deepEqual(await conversations.addItems('conv_1', messages('msg_2')), { type: 'unknown' })
    assert.equal(await idsOf(conversations), 'unknown')
    assert.equal(await conversations.getItem('conv_1', 'msg_1'), null)
    assert.equal(await conversations.deleteItem('conv_1', 'msg_1'), 'unknown')
    assert.deepEqual(await conversations.readItems('conv_1', MAX_BYTES), { type: 'unknown' })
    assert.equal(await conversations.lock('conv_1', 'lock_b', LEASE_MS), 'unknown')
    assert.equal((await foreign.getItems(['msg_1'])).size, 0)
    await assert.rejects(foreign.finishResponse(record('resp_1'), [], turn('lock_b', 'msg_3')))
    assert.deepEqual(await idsOf(project.conversations), ['msg_1'])
  })
}

function items(law: Law): void {
  law('items are listed in pages from both ends (req 58)', async ({ project }) => {
    const conversations = await open(project, 'a', 'b', 'c', 'd', 'e')
    const page = (order: 'asc' | 'desc', after: string | null) =>
      conversations.listItems('conv_1', { limit: 2, order, after })
    assert.deepEqual(await page('asc', null), { type: 'page', items: messages('a', 'b'), hasMore: true })
    assert.deepEqual(await page('asc', 'b'), { type: 'page', items: messages('c', 'd'), hasMore: true })
    assert.deepEqual(await page('asc', 'd'), { type: 'page', items: messages('e'), hasMore: false })
    assert.deepEqual(await page('asc', 'e'), { type: 'page', items: [], hasMore: false })
    assert.deepEqual(await page('desc', null), { type: 'page', items: messages('e', 'd'), hasMore: true })
    assert.deepEqual(await page('desc', 'b'), { type: 'page', items: messages('a'), hasMore: false })
    assert.deepEqual(await page('asc', 'unknown'), { type: 'unknown-after' })
  })

  law('an item keeps its place when items before it and after it go', async ({ project }) => {
    const conversations = await open(project, 'a', 'b', 'c')
    assert.equal(await conversations.deleteItem('conv_1', 'c'), 'deleted')
    assert.equal(await conversations.deleteItem('conv_1', 'a'), 'deleted')
    assert.equal(await conversations.deleteItem('conv_1', 'a'), 'unknown')
    assert.deepEqual(await conversations.addItems('conv_1', messages('d', 'a')), { type: 'added' })
    assert.deepEqual(await idsOf(conversations), ['b', 'd', 'a'])
    assert.deepEqual(await conversations.getItem('conv_1', 'd'), messages('d')[0])
    assert.equal(await conversations.getItem('conv_1', 'c'), null)
  })

  law('an id names one item of a conversation: of a list with one that is there nothing is added', async (fixture) => {
    const conversations = await open(fixture.project, 'a')
    const duplicate = { type: 'duplicate', itemId: 'a' } as const
    assert.deepEqual(await conversations.addItems('conv_1', messages('b', 'a')), duplicate)
    assert.deepEqual(await conversations.addItems('conv_1', messages('b', 'b')), { ...duplicate, itemId: 'b' })
    assert.deepEqual(await idsOf(conversations), ['a'])
    await conversations.create(conversation('conv_2'), messages('a'))
    assert.deepEqual(await idsOf(conversations, 'conv_2'), ['a'])
  })

  law('all items are read in order, and a conversation beyond the limit says its size', async ({ project }) => {
    const conversations = await open(project, 'a', 'b')
    assert.deepEqual(await conversations.readItems('conv_1', MAX_BYTES), { type: 'items', items: messages('a', 'b') })
    const bytes = Buffer.byteLength(
      messages('a', 'b')
        .map((item) => JSON.stringify(item))
        .join(''),
    )
    assert.deepEqual(await conversations.readItems('conv_1', bytes - 1), { type: 'too-long', bytes })
    await conversations.deleteItem('conv_1', 'a')
    assert.equal((await conversations.readItems('conv_1', bytes / 2)).type, 'items')
  })

  law('items added at once by many are all there, each list in one piece', async ({ project, peer }) => {
    const conversations = await open(project)
    const other = peer.forProject('proj_a').conversations
    const adds = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? other : conversations).addItems('conv_1', messages(`a${n}`, `b${n}`, `c${n}`)),
    )
    for (const result of await Promise.all(adds)) assert.equal(result.type, 'added')
    const ids = await idsOf(conversations, 'conv_1', { ...FIRST_PAGE, limit: 100 })
    assert.equal(ids.length, 60)
    for (let at = 0; at < 60; at += 3) {
      const n = ids[at]?.slice(1)
      assert.deepEqual(ids.slice(at, at + 3), [`a${n}`, `b${n}`, `c${n}`])
    }
  })

  law('items of conversations are found by id, beside those of responses (req 63)', async ({ project }) => {
    await open(project, 'a')
    await project.finishResponse({ ...record('resp_1'), input: messages('b') }, [])
    const found = await project.getItems(['a', 'b', 'c', 'a'])
    assert.deepEqual(
      found,
      new Map([
        ['b', messages('b')[0]],
        ['a', messages('a')[0]],
      ]),
    )
  })
}

function locking(law: Law): void {
  law('of many who lock at once one wins, and only the release lets the next one in (req 56)', async (fixture) => {
    const conversations = await open(fixture.project)
    const other = fixture.peer.forProject('proj_a').conversations
    const tries = Array.from({ length: 10 }, (_, n) =>
      (n % 2 ? other : conversations).lock('conv_1', `lock_${n}`, LEASE_MS),
    )
    const results = await Promise.all(tries)
    assert.equal(results.filter((result) => result === 'locked').length, 1)
    assert.equal(results.filter((result) => result === 'busy').length, 9)
    const winner = `lock_${results.indexOf('locked')}`
    await conversations.unlock('conv_1', 'lock_of_nobody')
    assert.equal(await conversations.lock('conv_1', 'lock_late', LEASE_MS), 'busy')
    await conversations.unlock('conv_1', winner)
    assert.equal(await conversations.lock('conv_1', 'lock_late', LEASE_MS), 'locked')
    assert.equal(await conversations.lock('conv_2', 'lock_x', LEASE_MS), 'unknown')
  })

  law('a lock of which nobody hears ends by itself, a renewed one does not', async ({ project, clock }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    clock.advance(14)
    await conversations.renewLock('conv_1', 'lock_1', LEASE_MS)
    clock.advance(14)
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'busy')
    clock.advance(1)
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
    await conversations.renewLock('conv_1', 'lock_1', LEASE_MS * 100)
    clock.advance(15)
    assert.equal(await conversations.lock('conv_1', 'lock_3', LEASE_MS), 'locked')
  })

  law('locks of a dead process end at the start of the next one', async ({ project, heir }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await (await heir()).failOrphans({ code: 'server_error', message: 'stopped' })
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
  })

  law('while it is locked its items stay as they are, and everything can be read', async ({ project, clock }) => {
    const conversations = await open(project, 'a')
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    assert.deepEqual(await conversations.addItems('conv_1', messages('b')), { type: 'locked' })
    assert.equal(await conversations.deleteItem('conv_1', 'a'), 'locked')
    assert.equal(await conversations.delete('conv_1', null), 'locked')
    assert.deepEqual(await idsOf(conversations), ['a'])
    assert.ok(await conversations.setMetadata('conv_1', { a: '1' }))
    clock.advance(16)
    assert.deepEqual(await conversations.addItems('conv_1', messages('b')), { type: 'added' })
  })
}

function turns(law: Law): void {
  law('a turn enters with the end of its response, and the lock is free then (req 55)', async ({ project, peer }) => {
    const conversations = await open(project, 'a')
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await project.finishResponse(record('resp_1'), [], turn('lock_1', 'b', 'c'))
    assert.deepEqual(await idsOf(peer.forProject('proj_a').conversations), ['a', 'b', 'c'])
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
    await project.finishUnstored([], turn('lock_2', 'd'))
    assert.deepEqual(await idsOf(conversations), ['a', 'b', 'c', 'd'])
    assert.equal(await conversations.lock('conv_1', 'lock_3', LEASE_MS), 'locked')
  })

  law('an end that is written twice appends once (req 55)', async ({ project }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await project.startResponse(running('resp_1'))
    await project.finishResponse(record('resp_1'), [], turn('lock_1', 'a'))
    await project.finishResponse(record('resp_1'), [], turn('lock_1', 'b'))
    await assert.rejects(project.finishUnstored([], turn('lock_1', 'c')))
    assert.deepEqual(await idsOf(conversations), ['a'])
  })

  law('a response that had ended before keeps its end, and its turn is only given up', async ({ project, heir }) => {
    const conversations = await open(project)
    await project.startResponse(running('resp_1'))
    await (await heir()).failOrphans({ code: 'server_error', message: 'stopped' })
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1')], turn('lock_1', 'a'))
    assert.deepEqual(await idsOf(conversations), [])
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
  })

  law('a turn whose lock went to somebody else is refused as a whole', async ({ project, clock, usageIds }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    clock.advance(16)
    await conversations.lock('conv_1', 'lock_2', LEASE_MS)
    const late = turn('lock_1', 'late')
    const isLost = { code: 'conversation_locked', status: 409 }
    await assert.rejects(project.finishResponse(record('resp_1'), [usageRow('use_1', 'resp_1')], late), isLost)
    await assert.rejects(project.finishUnstored([usageRow('use_2', 'resp_2')], late), isLost)
    assert.equal(await project.getResponse('resp_1'), null)
    assert.deepEqual(await usageIds('proj_a'), [])
    await project.finishUnstored([], turn('lock_2', 'a'))
    assert.deepEqual(await idsOf(conversations), ['a'])
  })

  law('a lease that ran out while nobody else came still holds', async ({ project, clock }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    clock.advance(3600)
    await project.finishUnstored([], turn('lock_1', 'a'))
    assert.deepEqual(await idsOf(conversations), ['a'])
  })

  law('a turn of which one row cannot be written leaves nothing behind', async ({ project }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    const broken = { ...usageRow('use_1', 'resp_1'), responseId: JSON.parse('null') }
    await assert.rejects(project.finishResponse(record('resp_1'), [broken], turn('lock_1', 'a')))
    assert.deepEqual(await idsOf(conversations), [])
    assert.equal(await conversations.lock('conv_1', 'lock_2', LEASE_MS), 'busy')
  })
}

function deleting(law: Law): void {
  const RETENTION = 100

  law('a deleted conversation is unknown, and its items stay readable by id (req 59)', async ({ project, clock }) => {
    const conversations = await open(project, 'a')
    assert.equal(await conversations.delete('conv_1', START_SECONDS + RETENTION), 'deleted')
    assert.equal(await conversations.get('conv_1'), null)
    assert.equal(await idsOf(conversations), 'unknown')
    assert.equal(await conversations.setMetadata('conv_1', {}), null)
    assert.equal(await conversations.lock('conv_1', 'lock_1', LEASE_MS), 'unknown')
    assert.equal(await conversations.delete('conv_1', null), 'unknown')
    assert.deepEqual((await project.getItems(['a'])).get('a'), messages('a')[0])
    clock.advance(RETENTION)
    assert.equal((await project.getItems(['a'])).size, 0)
  })

  law('a response keeps its items whatever happens to its conversation (req 59)', async ({ project }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    const stored = { ...record('resp_1'), input: messages('a') }
    const ending: RunEnding = {
      turn: { conversationId: 'conv_1', token: 'lock_1', items: [...stored.input, ...stored.response.output] },
      claim: null,
    }
    await project.finishResponse(stored, [], ending)
    await conversations.deleteItem('conv_1', 'a')
    await conversations.delete('conv_1', START_SECONDS)
    assert.deepEqual(await project.getResponse('resp_1'), stored.response)
    assert.equal((await project.getItems(['a', 'msg_out_resp_1'])).size, 2)
  })

  law('items of a conversation outlive the responses they came from (req 74)', async ({ store, project, clock }) => {
    const conversations = await open(project)
    await conversations.lock('conv_1', 'lock_1', LEASE_MS)
    const expiresAt = START_SECONDS + RETENTION
    await project.finishResponse(record('resp_1', {}, expiresAt), [], turn('lock_1', 'a'))
    clock.advance(RETENTION + 1)
    await store.purgeExpired(START_SECONDS + RETENTION + 1, 100)
    assert.equal(await project.getResponse('resp_1'), null)
    assert.deepEqual(await idsOf(conversations), ['a'])
    assert.equal((await project.getItems(['a'])).size, 1)
  })

  law('the purge removes deleted conversations in steps, and no other', async ({ store, project }) => {
    const { conversations } = project
    for (const id of ['conv_1', 'conv_2', 'conv_3']) {
      await conversations.create(conversation(id), [
        ...messages(`${id}_a`, `${id}_b`),
        assistantMessage(`${id}_c`, 'x'),
      ])
    }
    await conversations.delete('conv_1', START_SECONDS + RETENTION)
    await conversations.delete('conv_3', null)
    assert.equal(await store.purgeExpired(START_SECONDS + RETENTION, 2), 0)
    const later = START_SECONDS + RETENTION + 1
    assert.equal(await store.purgeExpired(later, 2), 2)
    assert.equal(await store.purgeExpired(later, 2), 2)
    assert.equal(await store.purgeExpired(later, 2), 0)
    assert.equal((await project.getItems(['conv_1_a', 'conv_1_b', 'conv_1_c'])).size, 0)
    assert.equal((await project.getItems(['conv_2_a', 'conv_3_a'])).size, 2)
  })

  law('an end without a turn or a claim is the plain end of a response', async ({ project, usageIds }) => {
    await project.finishResponse(record('resp_1'), [], NO_TURN)
    await project.finishUnstored([usageRow('use_1', 'resp_2')], NO_TURN)
    assert.ok(await project.getResponse('resp_1'))
    assert.deepEqual(await usageIds('proj_a'), ['use_1'])
  })
}
