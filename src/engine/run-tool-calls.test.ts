import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { checkRunLaws } from '../../test/laws/run-laws.ts'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, type ScriptedModel, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  CODE_NAME,
  type ScriptedTool,
  SEARCH_NAME,
  scriptedCodeTool,
  scriptedSearchTool,
} from '../../test/support/scripted-tool.ts'
import type { ModelEvent, TurnItem } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import type { Tool } from '../tools/tool.ts'
import { RunAbort } from './engine.ts'

let fixture: EngineFixture | null = null
afterEach(() => fixture?.close())

const called = (id: string, name: string, input: string): ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: `call_${id}` },
  { type: 'call-delta', id, delta: input.slice(0, 2) },
  { type: 'call-delta', id, delta: input.slice(2) },
  { type: 'call-end', id },
]
const said = (id: string, delta: string): ModelEvent[] => [
  { type: 'text-start', id },
  { type: 'text-delta', id, delta },
  { type: 'text-end', id },
]
const turn = (...events: ModelEvent[][]): Script => ({ batches: [[...events.flat(), finish('tool_calls')]] })

const FUNCTIONS = [CODE_NAME, SEARCH_NAME, 'mine'].map((name) => ({ type: 'function' as const, name }))

type Ran = {
  readonly model: ScriptedModel
  readonly types: readonly string[]
  readonly response: ReturnType<typeof checkRunLaws>
  readonly faults: readonly unknown[]
}

async function run(
  scripts: readonly Script[],
  options: {
    readonly request?: Partial<CreateResponseRequest>
    readonly code?: ScriptedTool
    readonly search?: ScriptedTool
    readonly signal?: AbortSignal
  } = {},
): Promise<Ran> {
  const model = scriptedModel(scripts)
  const faults: unknown[] = []
  const tools: Tool[] = [
    options.code ?? scriptedCodeTool(),
    options.search ?? scriptedSearchTool(),
    createFunctionTool(),
  ]
  fixture = await openEngine(model, { tools, telemetry: { failed: ({ error }) => faults.push(error) } })
  const request = { model: 'm', input: 'Go on.', tools: FUNCTIONS, ...options.request }
  const caller = fixture.caller(options.signal ? { signal: options.signal } : {})
  const events = await readAll((await fixture.engine.createResponse(request, caller)).events)
  return {
    model,
    types: events.map(({ type }) => type.replace('response.', '')),
    response: checkRunLaws(events),
    faults,
  }
}

const shapes = (items: readonly TurnItem[]) =>
  items.map((item) => ('call_id' in item ? `${item.type} ${item.call_id}` : item.type))

test('a call that runs here streams its code, tells how far it is, and the model goes on with what it gave', async () => {
  const { model, types, response } = await run([turn(called('a', CODE_NAME, '1+1')), saying('2')])
  assert.deepEqual(types.slice(2, -1), [
    'output_item.added',
    'code_interpreter_call_code.delta',
    'code_interpreter_call_code.delta',
    'code_interpreter_call_code.done',
    'code_interpreter_call.interpreting',
    'code_interpreter_call.completed',
    'output_item.done',
    'output_item.added',
    'content_part.added',
    'output_text.delta',
    'output_text.done',
    'content_part.done',
    'output_item.done',
  ])
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['code_interpreter_call', 'message'],
  )
  assert.deepEqual(shapes(model.turns[1]?.items ?? []), [
    'message',
    'function_call call_a',
    'function_call_output call_a',
  ])
  assert.equal(response.usage?.total_tokens, 16, 'both turns are paid for')
})

test('calls made at once run in their order, and what was said between them keeps its place', async () => {
  const code = scriptedCodeTool()
  const search = scriptedSearchTool()
  const first = turn(
    said('t', 'Let me see.'),
    called('a', CODE_NAME, '1+1'),
    called('b', SEARCH_NAME, '{}'),
    said('u', 'So.'),
  )
  const { model, response } = await run([first, saying('2')], { code, search })
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['message', 'code_interpreter_call', 'web_search_call', 'message', 'message'],
  )
  assert.deepEqual([code.calls.length, search.calls.length], [1, 1])
  assert.deepEqual(shapes(model.turns[1]?.items ?? []), [
    'message',
    'message',
    'function_call call_a',
    'function_call call_b',
    'message',
    'function_call_output call_a',
    'function_call_output call_b',
  ])
})

test('calls that run here are run and those of the client are handed over: the response ends', async () => {
  const code = scriptedCodeTool()
  const { model, response } = await run(
    [turn(called('a', 'mine', '{}'), called('b', CODE_NAME, '1')), saying('never')],
    { code },
  )
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['function_call', 'code_interpreter_call'],
  )
  assert.equal(response.status, 'completed')
  assert.equal(code.calls.length, 1)
  assert.equal(model.turns.length, 1)
})

test('max_tool_calls is exact: what goes beyond is not run, the model is told and may call no more', async () => {
  const code = scriptedCodeTool()
  const calls = (...ids: string[]) => turn(...ids.map((id) => called(id, CODE_NAME, '1')))
  const { model, response } = await run([calls('a', 'b'), calls('c', 'd'), saying('Enough.')], {
    code,
    request: { max_tool_calls: 3 },
  })
  assert.equal(code.calls.length, 3)
  assert.equal(response.output.filter(({ type }) => type === 'code_interpreter_call').length, 3)
  assert.equal(response.status, 'completed')
  assert.equal(response.output_text, 'Enough.')
  const last = model.turns.at(-1)
  assert.equal(last?.toolChoice.mode, 'none')
  assert.match(JSON.stringify(last?.items.at(-1)), /limit of tool calls/)
})

test('a choice that demands a call demands it of the first turn alone', async () => {
  const { model } = await run([turn(called('a', CODE_NAME, '1')), saying('Done.')], {
    request: { tool_choice: 'required' },
  })
  assert.deepEqual(
    model.turns.map(({ toolChoice }) => toolChoice.mode),
    ['required', 'auto'],
  )
})

test('a tool that throws is a fault for the log; its item fails and the model goes on', async () => {
  const broken = scriptedCodeTool(async function* () {
    yield { type: 'progress', event: { type: 'response.code_interpreter_call.interpreting' } }
    throw new Error('a bug')
  })
  const { model, response, faults } = await run([turn(called('a', CODE_NAME, '1')), saying('Sorry.')], { code: broken })
  const [item] = response.output
  assert.equal(item?.type === 'code_interpreter_call' && item.status, 'incomplete')
  assert.equal(response.status, 'completed')
  assert.match(JSON.stringify(model.turns[1]?.items), /The tool failed/)
  assert.equal(faults.length, 1)
})

test('a turn that was cut off runs none of its calls', async () => {
  const code = scriptedCodeTool()
  const cut: Script = { batches: [[...called('a', CODE_NAME, '1'), ...called('b', CODE_NAME, '2'), finish('length')]] }
  const { response } = await run([cut], { code })
  assert.equal(code.calls.length, 0)
  assert.equal(response.status, 'incomplete')
  assert.deepEqual(
    response.output.map((item) => 'status' in item && item.status),
    ['incomplete', 'incomplete'],
  )
})

test('a model that fails after a call runs nothing', async () => {
  const code = scriptedCodeTool()
  const { response } = await run([{ batches: [called('a', CODE_NAME, '1')] }], { code })
  assert.equal(code.calls.length, 0)
  assert.equal(response.status, 'failed')
})

test('an abort while a tool runs ends the run as cancelled, with the item as incomplete', async () => {
  const controller = new AbortController()
  const slow = scriptedCodeTool(async function* (_call, { signal }) {
    yield { type: 'progress', event: { type: 'response.code_interpreter_call.interpreting' } }
    controller.abort(new RunAbort('cancelled'))
    signal.throwIfAborted()
    return { type: 'result', output: '' }
  })
  const { response, model, faults } = await run([turn(called('a', CODE_NAME, '1'))], {
    code: slow,
    signal: controller.signal,
  })
  assert.equal(response.status, 'cancelled')
  assert.deepEqual(
    response.output.map((item) => 'status' in item && item.status),
    ['incomplete'],
  )
  assert.equal(model.turns.length, 1)
  assert.deepEqual(faults, [])
})

test('a later response is shown what hosted calls gave, as calls of functions or, without tools, in words', async () => {
  const model = scriptedModel([turn(called('a', CODE_NAME, 'print(7)')), saying('7'), saying('As I said.')])
  fixture = await openEngine(model, { tools: [scriptedCodeTool(), createFunctionTool()] })
  const ask = async (request: Partial<CreateResponseRequest>) => {
    assert.ok(fixture)
    const run = await fixture.engine.createResponse({ model: 'm', input: 'x', ...request }, fixture.caller())
    return checkRunLaws(await readAll(run.events))
  }
  const tools = [{ type: 'function' as const, name: CODE_NAME }]
  const { id } = await ask({ tools })
  await ask({ previous_response_id: id, tools })
  const [, call, output] = model.turns.at(-1)?.items ?? []
  assert.equal(call?.type === 'function_call' && call.arguments, '{"code":"print(7)"}')
  assert.equal(output?.type === 'function_call_output' && output.output, 'print(7)')
  await ask({ previous_response_id: id })
  assert.ok(model.turns.at(-1)?.items.every(({ type }) => type === 'message'))
  assert.match(JSON.stringify(model.turns.at(-1)?.items), /code_interpreter was called/)
})
