import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { markState } from '../models/reasoning-origin.ts'
import { ApiError } from '../protocol/errors.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { planRun } from './plan-run.ts'

const model = scriptedModel([saying('Hello.')])
let fixture: EngineFixture
before(async () => {
  fixture = await openEngine(model)
})
after(() => fixture.close())

const plan = (request: CreateResponseRequest) => planRun({ model: 'm', ...request }, fixture.caller(), fixture.deps)

async function answer(request: CreateResponseRequest) {
  const run = await fixture.engine.createResponse({ model: 'm', ...request }, fixture.caller())
  await readAll(run.events)
  return fixture.engine.getResponse(run.responseId, fixture.caller())
}

/** Asserts a refusal by status, code and param, before the model was asked for anything. */
async function refused(request: CreateResponseRequest, expected: Partial<Pick<ApiError, 'status' | 'code' | 'param'>>) {
  const turns = model.turns.length
  await assert.rejects(
    fixture.engine.createResponse({ model: 'm', ...request }, fixture.caller()),
    (error: unknown) => {
      assert.ok(error instanceof ApiError, String(error))
      for (const [key, value] of Object.entries(expected)) assert.equal(error[key as 'status'], value, error.message)
      return true
    },
  )
  assert.equal(model.turns.length, turns, 'nothing was sent to the model')
}

const call = (call_id: string) => ({ type: 'function_call' as const, call_id, name: 'f', arguments: '{}' })
const output = (call_id: string) => ({ type: 'function_call_output' as const, call_id, output: 'done' })
const f = { type: 'function' as const, name: 'f', parameters: { type: 'object', properties: {} } }

test('a string input becomes one user message', async () => {
  const { turn, input } = await plan({ input: 'Hi' })
  assert.equal(turn.items.length, 1)
  assert.deepEqual(input[0], {
    ...input[0],
    type: 'message',
    role: 'user',
    content: [{ type: 'input_text', text: 'Hi' }],
  })
})

test('messages without type, with string content and of every role keep their order and role (req 2, 3, 4, 5)', async () => {
  const { turn } = await plan({
    input: [
      { role: 'system', content: 'S' },
      { role: 'developer', content: [{ type: 'input_text', text: 'D' }] },
      { role: 'user', content: 'U' },
      { role: 'assistant', content: [{ type: 'output_text', text: 'A' }] },
      { type: 'message', role: 'user', content: 'V' },
    ],
  })
  const roles = turn.items.map((item) => (item.type === 'message' ? item.role : item.type))
  assert.deepEqual(roles, ['system', 'developer', 'user', 'assistant', 'user'])
})

test('a missing model is refused unless a default is configured (req 12)', async () => {
  await refused({ model: null, input: 'x' }, { status: 400, code: 'missing_required_parameter', param: 'model' })
})

test('an unknown parent is refused before anything is sent (req 52)', async () => {
  await refused({ input: 'x', previous_response_id: 'resp_nope' }, { code: 'previous_response_not_found' })
})

test('a chain carries input and output of every turn in order, and not the instructions (req 49, 50)', async () => {
  const first = await answer({ input: 'one', instructions: 'Shout.' })
  const second = await answer({ input: 'two', previous_response_id: first.id })
  const { turn } = await plan({ input: 'three', previous_response_id: second.id })
  assert.equal(turn.instructions, null)
  const texts = turn.items.flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => ('text' in part ? part.text : '')) : [],
  )
  assert.deepEqual(texts, ['one', 'Hello.', 'two', 'Hello.', 'three'])
})

test('two children of one parent do not see each other (req 51)', async () => {
  const parent = await answer({ input: 'root' })
  await answer({ input: 'left', previous_response_id: parent.id })
  const { history } = await plan({ input: 'right', previous_response_id: parent.id })
  assert.equal(history.length, 2)
})

test('a response of another project cannot be continued, and answers as one that never was (req 75)', async () => {
  const mine = await answer({ input: 'mine' })
  const foreign = fixture.caller({ projectId: 'proj_b' })
  const attempt = (id: string) =>
    fixture.engine.createResponse({ model: 'm', input: 'x', previous_response_id: id }, foreign).then(
      () => assert.fail('must be refused'),
      (error: ApiError) => error.message.replace(id, 'ID'),
    )
  assert.equal(await attempt(mine.id), await attempt('resp_nope'))
})

test('a cache key of one project is never that of another, and is echoed as it was given', async () => {
  const request = { model: 'm', input: 'x', prompt_cache_key: 'shared' }
  const mine = await planRun(request, fixture.caller(), fixture.deps)
  const foreign = await planRun(request, fixture.caller({ projectId: 'proj_b' }), fixture.deps)
  assert.notEqual(mine.turn.promptCacheKey, foreign.turn.promptCacheKey)
  assert.equal(mine.turn.promptCacheKey, (await plan({ ...request })).turn.promptCacheKey)
  assert.equal(mine.response.prompt_cache_key, 'shared')
})

test('an output without its call is refused (req 77)', () =>
  refused({ input: [output('call_1')] }, { status: 400, param: 'input' }))

test('a call without its output is refused (req 77)', () =>
  refused({ input: [{ role: 'user', content: 'x' }, call('call_1')], tools: [f] }, { status: 400, param: 'input' }))

test('a call with its output is accepted without ids', async () => {
  const { turn } = await plan({ input: [{ role: 'user', content: 'x' }, call('c1'), output('c1')], tools: [f] })
  assert.deepEqual(
    turn.items.map((item) => item.type),
    ['message', 'function_call', 'function_call_output'],
  )
})

test('item references and bare ids bring back stored items, unknown ones are 404 (req 63)', async () => {
  const first = await answer({ input: 'one' })
  const id = first.output[0]?.id ?? ''
  const { turn } = await plan({ input: [{ type: 'item_reference', id }, { id }, { role: 'user', content: 'two' }] })
  assert.deepEqual(turn.items.map((item) => item.id).slice(0, 2), [id, id])
  await refused({ input: [{ id: 'msg_nope' }] }, { status: 404, param: 'input' })
})

test('a referenced item that the chain brings along is not shown twice', async () => {
  const first = await answer({ input: 'one' })
  const id = first.output[0]?.id ?? ''
  const { turn } = await plan({
    previous_response_id: first.id,
    input: [
      { type: 'item_reference', id },
      { role: 'user', content: 'two' },
    ],
  })
  assert.equal(turn.items.filter((item) => item.id === id).length, 1)
})

test('tool_choice must name a tool of the request (req 128)', async () => {
  await refused({ input: 'x', tools: [f], tool_choice: { type: 'function', name: 'g' } }, { param: 'tool_choice' })
  await refused({ input: 'x', tool_choice: 'required' }, { param: 'tool_choice' })
  const allowed = { type: 'allowed_tools' as const, mode: 'auto' as const, tools: [{ type: 'function', name: 'g' }] }
  await refused({ input: 'x', tools: [f], tool_choice: allowed }, { param: 'tool_choice.tools[0]' })
})

test('two tools of one name are refused', () => refused({ input: 'x', tools: [f, f] }, { param: 'tools[1].name' }))

test('namespaced tools are offered under one flat name and called by their own (req 131)', async () => {
  const { turn, tools } = await plan({
    input: [
      { role: 'user', content: 'x' },
      { type: 'function_call', call_id: 'c1', name: 'find', namespace: 'crm', arguments: '{}' },
      output('c1'),
    ],
    tools: [{ type: 'namespace', name: 'crm', description: 'Customers', tools: [{ type: 'function', name: 'find' }] }],
  })
  assert.deepEqual(
    turn.tools.map((tool) => tool.name),
    ['crm__find'],
  )
  assert.equal(tools.byModelName.get('crm__find')?.declared.namespace, 'crm')
  const [, shown] = turn.items
  assert.equal(shown?.type === 'function_call' && shown.name, 'crm__find')
})

test('tools of additional_tools items are offered beside those of the request (req 133)', async () => {
  const { turn } = await plan({
    tools: [f],
    input: [
      { type: 'additional_tools', role: 'developer', tools: [{ type: 'custom', name: 'exec' }] },
      { role: 'user', content: 'x' },
    ],
  })
  assert.deepEqual(
    turn.tools.map((tool) => tool.name),
    ['f', 'exec'],
  )
  assert.deepEqual(
    turn.items.map((item) => item.type),
    ['message'],
  )
})

test('strict is tried where the schema allows it and echoed as it is used (req 120)', async () => {
  const loose = { type: 'object', properties: { a: { type: 'string' } } }
  const tight = { ...loose, required: ['a'], additionalProperties: false }
  const { turn, response } = await plan({
    input: 'x',
    tools: [
      { type: 'function', name: 'loose', parameters: loose },
      { type: 'function', name: 'tight', parameters: tight },
    ],
  })
  assert.deepEqual(
    turn.tools.map((tool) => tool.type === 'function' && tool.strict),
    [false, true],
  )
  assert.deepEqual(
    response.tools.map((tool) => tool.type === 'function' && tool.strict),
    [false, true],
  )
})

test('a schema that is not strict is refused where strict is asked for (req 34)', async () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } }
  await refused(
    { input: 'x', text: { format: { type: 'json_schema', name: 'n', schema, strict: true } } },
    { code: 'invalid_json_schema', param: 'text.format.schema' },
  )
  await refused(
    { input: 'x', tools: [{ type: 'function', name: 'f', parameters: schema, strict: true }] },
    { code: 'invalid_function_parameters', param: 'tools[0].parameters' },
  )
})

test('json mode needs the word json somewhere in the input', async () => {
  await refused({ input: 'Give me an object.', text: { format: { type: 'json_object' } } }, { param: 'input' })
  await plan({ input: 'Give me JSON.', text: { format: { type: 'json_object' } } })
})

test('encrypted reasoning comes back to the provider that made it, and a changed one is refused (req 65)', async () => {
  const sealing = await plan({ input: 'x', include: ['reasoning.encrypted_content'] })
  const sealed = sealing.sealReasoning({ state: 'opaque', text: 'thought' }, 'scripted') ?? ''
  assert.ok(!sealed.includes('opaque'))
  const reasoning = { type: 'reasoning' as const, summary: [], encrypted_content: sealed }
  const { turn } = await plan({ input: [reasoning, { role: 'user', content: 'x' }] })
  const [shown] = turn.items
  assert.ok(shown?.type === 'reasoning')
  assert.equal(shown.encrypted_content, markState('scripted', 'opaque'))
  assert.equal(shown.content?.[0]?.text, 'thought')
  const forged = { ...reasoning, encrypted_content: `${sealed.slice(0, -2)}AA` }
  await refused(
    { input: [forged, { role: 'user', content: 'x' }] },
    { code: 'invalid_encrypted_content', param: 'input[0].encrypted_content' },
  )
})

test('truncation auto drops the oldest turns whole and keeps the newest (req 67)', async () => {
  const small = await openEngine(scriptedModel([saying('ok')], { contextWindow: 900 }))
  try {
    const turnOf = (text: string, id: string) => [
      { role: 'user' as const, content: text.padEnd(150, '.') },
      { ...call(id), arguments: '{"a":1}' },
      output(id),
    ]
    const input = [
      { role: 'system' as const, content: 'Rules.' },
      ...turnOf('one', 'c1'),
      ...turnOf('two', 'c2'),
      ...turnOf('three', 'c3'),
    ]
    const { turn } = await planRun({ model: 'm', input, tools: [f], truncation: 'auto' }, small.caller(), small.deps)
    const calls = turn.items.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : []))
    const outputs = turn.items.flatMap((item) => (item.type === 'function_call_output' ? [item.call_id] : []))
    assert.deepEqual(calls, outputs)
    assert.ok(calls.length < 3 && calls.at(-1) === 'c3')
    assert.equal(turn.items[0]?.type === 'message' && turn.items[0].role, 'system')
  } finally {
    await small.close()
  }
})

test('what a model cannot do is refused when it changes the meaning and reported when it is a hint (req 38)', async () => {
  const plain = await openEngine(scriptedModel([saying('ok')], { functionTools: false, reasoning: false }))
  try {
    const hinted = await planRun({ model: 'm', input: 'x', reasoning: { effort: 'high' } }, plain.caller(), plain.deps)
    assert.match(hinted.warnings.join(), /reasoning\.effort/)
    await assert.rejects(planRun({ model: 'm', input: 'x', tools: [f] }, plain.caller(), plain.deps), {
      code: 'unsupported_parameter',
      param: 'tools',
    })
  } finally {
    await plain.close()
  }
})
