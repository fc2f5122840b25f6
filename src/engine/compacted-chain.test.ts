/** Chains longer than what is followed: a compaction is where they begin anew, before a restart and after it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { type ScriptedModel, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import type { Item } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { createEngine } from './create-engine.ts'
import type { Engine } from './engine.ts'
import { createHistoryCache } from './history.ts'

const TURNS = 3_000
const COMPACT: CreateResponseRequest['context_management'] = [{ type: 'compaction', compact_threshold: 10_000 }]
const LIST = { limit: 100, order: 'asc', after: null, include: [] } as const

/** The same store, and nothing of what the engine before it had in memory. */
const restarted = ({ deps }: EngineFixture): Engine =>
  createEngine({ ...deps, cache: createHistoryCache({ maxChains: 100, maxItems: 10_000 }) })

async function openChain(maxResponses = 1_000) {
  const scripted = scriptedModel([saying('Hello.')])
  const countInputTokens: ScriptedModel['countInputTokens'] = async ({ items }) => JSON.stringify(items).length / 4
  const model: ScriptedModel = { ...scripted, countInputTokens }
  const fixture = await openEngine(model, {
    settings: { chainLimits: { maxResponses, maxBytes: 32 * 1024 * 1024 } },
  })
  const turn = async (previous: string | null, request: CreateResponseRequest = {}, engine = fixture.engine) => {
    const run = await engine.createResponse(
      { model: 'm', input: 'Go on.', previous_response_id: previous, ...request },
      fixture.caller(),
    )
    await readAll(run.events)
    return run.responseId
  }
  return { fixture, model, turn }
}

/** What the model was shown last, without the input of that turn. */
const lastShown = ({ turns }: ScriptedModel): readonly Item[] => turns.at(-1)?.items.slice(0, -1) ?? []
const texts = (items: readonly Item[]) => JSON.stringify(items)

test('a compacted chain of 3,000 responses is continued after a restart as it was before it (req 68)', async (t) => {
  const { fixture, model, turn } = await openChain()
  try {
    const developer = { role: 'developer' as const, content: 'Speak like a heron.' }
    let last = await turn(null, { input: [developer, { role: 'user', content: 'My name is Ada.' }] })
    for (let n = 1; n < TURNS; n++) last = await turn(last, { input: `Turn ${n}.`, context_management: COMPACT })
    await turn(last)
    const warm = lastShown(model)
    await turn(last, {}, restarted(fixture))
    assert.deepEqual(lastShown(model), warm)
    assert.match(texts(warm), /Summary of the earlier conversation/)
    assert.match(texts(warm), /Speak like a heron/)
    assert.ok(texts(warm).length < 60_000, `${texts(warm).length} bytes were sent`)
    t.diagnostic(`${model.turns.length - TURNS - 2} summaries, ${warm.length} items shown in the end`)
    const listed = await restarted(fixture).listInputItems(last, LIST, fixture.caller())
    assert.ok(listed.data.length > 0)
  } finally {
    await fixture.close()
  }
})

test('a chain that is not compacted ends at its bound with an error that names the way out', async () => {
  const { fixture, turn } = await openChain(5)
  try {
    let last: string | null = null
    for (let n = 0; n < 6; n++) last = await turn(last)
    const next = { model: 'm', input: 'Go on.', previous_response_id: last }
    await assert.rejects(restarted(fixture).createResponse(next, fixture.caller()), {
      status: 400,
      param: 'previous_response_id',
      code: 'context_length_exceeded',
      message: /6 responses .* at most 5 responses .*'context_management'/,
    })
  } finally {
    await fixture.close()
  }
})

test('tools that were added go on over a compaction and a restart, and what a summary must not blur', async () => {
  const { fixture, model, turn } = await openChain(2)
  const tools = [{ type: 'function' as const, name: 'look' }]
  try {
    const added = { type: 'additional_tools' as const, role: 'developer' as const, tools }
    const first = await turn(null, { input: [added, { role: 'user', content: 'Look.' }, CALL, OUTPUT] })
    const second = await turn(first, { input: [{ role: 'user', content: 'Again.' }] })
    const compacted = await turn(second, { input: [{ type: 'compaction_trigger' }] })
    const third = await turn(compacted, {}, restarted(fixture))
    await turn(third, {}, restarted(fixture))
    assert.equal(model.turns.at(-1)?.tools.length, 1)
    assert.match(texts(lastShown(model)), /Look\..*Again\..*Summary/)
  } finally {
    await fixture.close()
  }
})
const CALL = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' } as const
const OUTPUT = { type: 'function_call_output', call_id: 'c1', output: 'seen' } as const

test('what a compaction stands for may be deleted; the chain stands on the compaction', async () => {
  const { fixture, turn } = await openChain()
  try {
    const first = await turn(null, { input: 'My name is Ada.' })
    const second = await turn(first, { input: [{ type: 'compaction_trigger' }] })
    const third = await turn(second)
    await fixture.engine.deleteResponse(first, fixture.caller())
    await turn(third)
    const listed = await fixture.engine.listInputItems(third, LIST, fixture.caller())
    assert.deepEqual(
      listed.data.map(({ type }) => type),
      ['message', 'compaction', 'message'],
    )
    await fixture.engine.deleteResponse(second, fixture.caller())
    await assert.rejects(turn(third), { code: 'previous_response_not_found' })
  } finally {
    await fixture.close()
  }
})
