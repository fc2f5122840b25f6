import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { checkRunLaws } from '../../test/laws/run-laws.ts'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  CODE_NAME,
  runCode,
  SEARCH_NAME,
  scriptedCodeTool,
  scriptedSearchTool,
  search,
  type ToolScript,
} from '../../test/support/scripted-tool.ts'
import type { ModelEvent } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import { RunAbort } from './engine.ts'
import type { RunEvent } from './run-event.ts'
import type { EngineSettings } from './settings.ts'

let fixture: EngineFixture | null = null
afterEach(() => fixture?.close())

const called = (id: string, name: string, input = '{}'): ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: `call_${id}` },
  { type: 'call-delta', id, delta: input },
  { type: 'call-end', id },
]
const turn = (...events: ModelEvent[][]): Script => ({ batches: [[...events.flat(), finish('tool_calls')]] })

const TOOLS = [CODE_NAME, SEARCH_NAME, 'mine'].map((name) => ({ type: 'function' as const, name }))

type Options = {
  readonly code?: ToolScript
  readonly search?: ToolScript
  readonly request?: Partial<CreateResponseRequest>
  readonly settings?: Partial<EngineSettings>
  readonly signal?: AbortSignal
}

async function run(scripts: readonly Script[], options: Options = {}) {
  const model = scriptedModel(scripts)
  const code = scriptedCodeTool(options.code)
  const searching = scriptedSearchTool(options.search)
  const { settings = {}, signal } = options
  fixture = await openEngine(model, { tools: [code, searching, createFunctionTool()], settings })
  const request = { model: 'm', input: 'Go on.', tools: TOOLS, ...options.request }
  const started = await fixture.engine.createResponse(request, fixture.caller(signal ? { signal } : {}))
  const events = await readAll(started.events)
  return { model, events, response: checkRunLaws(events), ran: [...code.calls, ...searching.calls].length }
}

/** Waits for all of so many calls to have begun, so that it can only end when they run at once. */
function meeting(expected: number, script: ToolScript): ToolScript {
  let begun = 0
  const all = Promise.withResolvers<void>()
  return async function* (call, context) {
    begun += 1
    if (begun === expected) all.resolve()
    await all.promise
    return yield* script(call, context)
  }
}

/** How many calls are running at the same time, at most. */
function counting(script: ToolScript) {
  const seen = { most: 0 }
  let running = 0
  const counted: ToolScript = async function* (call, context) {
    running += 1
    seen.most = Math.max(seen.most, running)
    await new Promise(setImmediate)
    const outcome = yield* script(call, context)
    running -= 1
    return outcome
  }
  return { seen, counted }
}

/** Never ends, and hears of no abort. */
const hanging: ToolScript = async function* () {
  yield { type: 'progress', event: { type: 'response.code_interpreter_call.interpreting' } }
  await new Promise(() => {})
  return { type: 'result', output: 'never' }
}

const told = (events: readonly RunEvent[]) =>
  events.flatMap((event) => ('output_index' in event ? [`${event.output_index} ${event.type.slice(9)}`] : []))
const outputs = (model: ReturnType<typeof scriptedModel>, at = 1) =>
  (model.turns[at]?.items ?? []).flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []))

describe('calls of one turn that run here', () => {
  test('run at once; their items open in the order of the calls and close as each ends', async () => {
    const slowCode: ToolScript = async function* (call) {
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      return yield* runCode(call)
    }
    const { model, events } = await run(
      [turn(called('a', CODE_NAME, 'first'), called('b', SEARCH_NAME), called('c', SEARCH_NAME)), saying('Done.')],
      { code: slowCode, search: meeting(2, search) },
    )
    const steps = told(events)
    const at = (step: string) => steps.indexOf(step)
    assert.ok(at('0 output_item.added') < at('1 output_item.added'))
    assert.ok(at('1 output_item.added') < at('2 output_item.added'))
    assert.ok(at('2 output_item.added') < at('1 web_search_call.searching'))
    assert.ok(at('2 output_item.done') < at('0 output_item.done'), 'the slow one keeps nobody waiting')
    assert.deepEqual(outputs(model), ['first', 'https://example.com says so.', 'https://example.com says so.'])
  })

  test('are no more at once than the operator allows', async () => {
    const { seen, counted } = counting(search)
    const calls = ['a', 'b', 'c', 'd', 'e'].map((id) => called(id, SEARCH_NAME))
    const { ran } = await run([turn(...calls), saying('Done.')], { search: counted, settings: { toolCallsAtOnce: 2 } })
    assert.deepEqual([seen.most, ran], [2, 5])
  })

  test('come one at a time where parallel_tool_calls is false (req 124)', async () => {
    const { response, ran } = await run([turn(called('a', SEARCH_NAME), called('b', SEARCH_NAME)), saying('Done.')], {
      request: { parallel_tool_calls: false },
    })
    assert.equal(ran, 1)
    assert.deepEqual(
      response.output.map(({ type }) => type),
      ['web_search_call', 'message'],
    )
  })

  test('do not stop each other: one fails, the model is told, and the others answer (req 157)', async () => {
    const broken: ToolScript = async function* () {
      yield { type: 'progress', event: { type: 'response.code_interpreter_call.interpreting' } }
      throw new Error('a bug')
    }
    const { model, response } = await run(
      [turn(called('a', SEARCH_NAME), called('b', CODE_NAME), called('c', SEARCH_NAME)), saying('Done.')],
      { code: broken, search: meeting(2, search) },
    )
    assert.equal(response.status, 'completed')
    assert.deepEqual(
      response.output.map((item) => 'status' in item && item.status),
      ['completed', 'incomplete', 'completed', 'completed'],
    )
    assert.match(String(outputs(model)[1]), /The tool failed/)
  })

  test('beside one of the client: they run, its call is handed over, and the limit counts theirs alone (req 155)', async () => {
    const calls = [called('a', SEARCH_NAME), called('b', 'mine'), called('c', CODE_NAME, '1'), called('d', SEARCH_NAME)]
    const { model, response, ran } = await run([turn(...calls, called('e', SEARCH_NAME)), saying('never')], {
      request: { max_tool_calls: 3 },
      search: meeting(2, search),
    })
    assert.deepEqual(
      response.output.map((item) => `${item.type} ${'status' in item && item.status}`),
      [
        'web_search_call completed',
        'function_call completed',
        'code_interpreter_call completed',
        'web_search_call completed',
      ],
    )
    assert.equal(ran, 3)
    assert.equal(model.turns.length, 1)
  })

  test('count together, whatever tool they are of, and the model hears which one was too many (req 155)', async () => {
    const calls = [called('a', SEARCH_NAME), called('b', CODE_NAME, '1'), called('c', SEARCH_NAME)]
    const { model, response, ran } = await run([turn(...calls), saying('Enough.')], { request: { max_tool_calls: 2 } })
    assert.equal(ran, 2)
    assert.equal(response.status, 'completed')
    assert.match(String(outputs(model)[2]), /limit of tool calls/)
    assert.equal(model.turns[1]?.toolChoice.mode, 'none')
  })

  test('end within a second of an abort, also those that do not hear of it', async () => {
    const controller = new AbortController()
    let abortedAt = 0
    const aborting: ToolScript = async function* (call) {
      setImmediate(() => {
        abortedAt = performance.now()
        controller.abort(new RunAbort('cancelled'))
      })
      await new Promise(() => {})
      return yield* search(call)
    }
    const { response } = await run([turn(called('a', CODE_NAME), called('b', CODE_NAME), called('c', SEARCH_NAME))], {
      code: hanging,
      search: aborting,
      signal: controller.signal,
    })
    assert.ok(performance.now() - abortedAt < 1000)
    assert.equal(response.status, 'cancelled')
    assert.ok(response.output.every((item) => 'status' in item && item.status === 'incomplete'))
  })

  test('end with the time of the response, which is then failed (req 156)', async () => {
    const { response } = await run([turn(called('a', CODE_NAME), called('b', SEARCH_NAME))], {
      code: hanging,
      settings: { wallClockMs: 50 },
    })
    assert.equal(response.status, 'failed')
    assert.match(response.error?.message ?? '', /limits\.response_time/)
    assert.deepEqual(
      response.output.map((item) => 'status' in item && item.status),
      ['incomplete', 'completed'],
    )
  })
})
