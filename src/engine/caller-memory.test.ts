import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { ModelError } from '../models/model.ts'
import { applyEvent } from '../protocol/apply-event.ts'
import type { Item } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { Store } from '../store/store.ts'
import type { Caller, ResponseMemory } from './engine.ts'
import { isTerminal, toPublicEvent } from './run-event.ts'

function createMemory(): ResponseMemory & { readonly entries: Map<string, readonly Item[]> } {
  const entries = new Map<string, readonly Item[]>()
  return { entries, get: (id) => entries.get(id) ?? null, put: (id, items) => void entries.set(id, items) }
}

/** A store that counts the chains that are read from it. */
function countChains(store: Store): { readonly store: Store; reads(): number } {
  let reads = 0
  const forProject: Store['forProject'] = (projectId) => {
    const project = store.forProject(projectId)
    const readChain: typeof project.readChain = (...args) => {
      reads++
      return project.readChain(...args)
    }
    return Object.assign(Object.create(project), { readChain })
  }
  return { store: Object.assign(Object.create(store), { forProject }), reads: () => reads }
}

async function open(failing = false) {
  let reads = () => 0
  const failure = { batches: [], failAt: { index: 0, error: new ModelError('unavailable', 'gone') } }
  const model = scriptedModel([failing ? failure : saying('Hello.')])
  const fixture = await openEngine(model, {
    wrapStore(real) {
      const counted = countChains(real)
      reads = counted.reads
      return counted.store
    },
  })
  const memory = createMemory()
  const caller: Caller = { ...fixture.caller(), memory }
  const end = async (fields: CreateResponseRequest, prepare = false): Promise<ResponseObject> => {
    const request = { model: 'm', stream: true, ...fields }
    const run = await fixture.engine[prepare ? 'prepareResponse' : 'createResponse'](request, caller)
    const events = await readAll(run.events)
    const last = events.at(-1)
    assert.ok(last && isTerminal(last) && events.filter(isTerminal).length === 1)
    const folded = events.map(toPublicEvent).reduce<ResponseObject | null>(applyEvent, null)
    assert.deepEqual(folded, last.response)
    return last.response
  }
  return { fixture, model, memory, end, reads: () => reads() }
}

test('an unstored response is continued from the memory of its caller, and the store is not asked', async () => {
  const { fixture, model, memory, end, reads } = await open()
  const first = await end({ input: 'one', store: false })
  const second = await end({ input: 'two', store: false, previous_response_id: first.id })
  assert.deepEqual(
    memory.entries.get(second.id)?.map((item) => item.type),
    ['message', 'message', 'message', 'message'],
  )
  const [a, b] = [memory.entries.get(first.id), memory.entries.get(second.id)]
  assert.ok(
    a?.every((item, i) => item === b?.[i]),
    'turns share their items',
  )
  assert.equal(model.turns.at(-1)?.items.length, 3)
  assert.equal(reads(), 0)
  await assert.rejects(
    fixture.engine.createResponse({ model: 'm', previous_response_id: first.id }, fixture.caller()),
    {
      code: 'previous_response_not_found',
    },
  )
  await fixture.close()
})

test('stored responses are not put into the memory, which a deletion would not reach', async () => {
  const { fixture, memory, end } = await open()
  const first = await end({ input: 'one' })
  await end({ input: 'two', store: false, previous_response_id: first.id })
  assert.equal(memory.entries.size, 1)
  assert.equal(memory.entries.has(first.id), false)
  await fixture.close()
})

test('a response that failed is nothing to continue from', async () => {
  const { fixture, memory, end } = await open(true)
  assert.equal((await end({ input: 'one', store: false })).status, 'failed')
  assert.equal(memory.entries.size, 0)
  await fixture.close()
})

test('a prepared response calls no model, leaves no usage, and is stored or remembered as any other', async () => {
  const { fixture, model, memory, end } = await open()
  const kept = await end({ input: 'one' }, true)
  const unkept = await end({ input: [], store: false }, true)
  for (const { status, output, usage } of [kept, unkept]) {
    assert.deepEqual([status, output, usage?.total_tokens], ['completed', [], 0])
  }
  assert.equal(model.turns.length, 0)
  assert.deepEqual(await fixture.engine.getResponse(kept.id, fixture.caller()), kept)
  assert.deepEqual(memory.entries.get(unkept.id), [])
  await end({ input: 'two', previous_response_id: kept.id })
  assert.equal(model.turns.at(-1)?.items.length, 2)
  await assert.rejects(end({ input: 'x', tool_choice: { type: 'function', name: 'none' } }, true), { status: 400 })
  await fixture.close()
})

test('a stored response on an unstored one is the first of its chain, with all before it as its own input', async () => {
  const { fixture, end } = await open()
  const first = await end({ input: 'one', store: false })
  const second = await end({ input: 'two', previous_response_id: first.id })
  assert.equal(second.previous_response_id, first.id)
  const stored = await fixture.engine.getResponse(second.id, fixture.caller())
  assert.equal(stored.previous_response_id, null)
  const page = { limit: 10, order: 'asc', after: null, include: [] } as const
  assert.equal((await fixture.engine.listInputItems(second.id, page, fixture.caller())).data.length, 3)
  await fixture.close()
})
