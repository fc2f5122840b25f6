import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { checkRunLaws } from '../../test/laws/run-laws.ts'
import { openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, type ScriptedModel, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { CODE_NAME, type ScriptedTool, scriptedCodeTool } from '../../test/support/scripted-tool.ts'
import type { ModelEvent } from '../models/model.ts'
import type { FunctionToolParam } from '../protocol/tools.ts'
import { createClientTools } from '../tools/client/client-tools.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import { readArguments } from '../tools/read-arguments.ts'
import type { Tool } from '../tools/tool.ts'

/** For the client under this name, for the server under the name of its scripted tool. */
const WEATHER: FunctionToolParam = {
  type: 'function',
  name: 'weather',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
}
const HERE = { ...WEATHER, name: CODE_NAME }
const GOOD = '{"city":"Paris"}'
const BROKEN: Readonly<Record<string, string>> = {
  'cut off': '{"city": "Par',
  'no object': '["Paris"]',
  'two values': '{"city":"Paris"}{"city":"Rome"}',
  'of another schema': '{"town":"Paris"}',
  'with bytes that no JSON has': '{"city":"Par\nis"}',
}

const called = (id: string, name: string, input: string): ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: `call_${id}` },
  { type: 'call-delta', id, delta: input },
  { type: 'call-end', id },
]
const turn = (...calls: ModelEvent[][]): Script => ({ batches: [[...calls.flat(), finish('tool_calls')]] })

/** A tool that runs here, and the arguments it ran with. */
function serverTool() {
  const ran: unknown[] = []
  const tool = scriptedCodeTool(async function* (call) {
    const read = readArguments(call)
    if (!read.ok) return read.outcome
    ran.push(read.value)
    if (call.item?.type === 'code_interpreter_call') {
      yield { type: 'finish', item: { ...call.item, status: 'completed', outputs: [] } }
    }
    return { type: 'result', output: '20 degrees' }
  })
  return { tool, ran }
}

async function run(t: TestContext, scripts: readonly Script[], tool?: ScriptedTool, tools?: readonly Tool[]) {
  const model = scriptedModel(scripts)
  const fixture = await openEngine(model, tools ? { tools } : tool ? { tools: [tool] } : {})
  t.after(() => fixture.close())
  const ask = async (more: object = {}) => {
    const request = { model: 'scripted', input: 'How is the weather?', tools: [tool ? HERE : WEATHER], ...more }
    const started = await fixture.engine.createResponse(request, fixture.caller())
    const events = await readAll(started.events)
    return { events, response: checkRunLaws(events) }
  }
  return { model, ask }
}

/** What the model was told of its calls, in its second turn. */
const answersIn = (model: ScriptedModel) =>
  model.turns[1]?.items.flatMap((item) =>
    item.type === 'function_call_output' ? [[item.call_id, String(item.output)]] : [],
  ) ?? []

for (const [name, input] of Object.entries(BROKEN)) {
  test(`a client gets arguments that are ${name} as the model wrote them, and so does the model afterwards`, async (t) => {
    const { model, ask } = await run(t, [turn(called('a', WEATHER.name, input)), saying('Sunny.')])
    const { events, response } = await ask()
    assert.equal(response.status, 'completed')
    const told = events.flatMap((event) => (event.type === 'response.function_call_arguments.delta' ? event.delta : []))
    assert.equal(told.join(''), input)
    const [call] = response.output
    assert.ok(call?.type === 'function_call')
    assert.deepEqual([call.arguments, call.status], [input, 'completed'])

    const output = { type: 'function_call_output', call_id: call.call_id, output: 'Error: those are no arguments.' }
    const next = await ask({ previous_response_id: response.id, input: [output] })
    assert.equal(next.response.status, 'completed')
    const seen = model.turns[1]?.items.find(({ type }) => type === 'function_call')
    assert.ok(seen?.type === 'function_call' && seen.arguments === input)
  })

  test(`a tool of this server never runs with arguments that are ${name}: the model is told, and may call again`, async (t) => {
    const { tool, ran } = serverTool()
    const scripts = [turn(called('a', CODE_NAME, input)), turn(called('b', CODE_NAME, GOOD)), saying('Sunny.')]
    const { model, ask } = await run(t, scripts, tool)
    const { response } = await ask()
    assert.equal(response.status, 'completed')
    assert.deepEqual(ran, [JSON.parse(GOOD)])
    const [[callId, answer] = []] = answersIn(model)
    assert.equal(callId, 'call_a')
    assert.match(answer ?? '', /^Error: the tool was not run, because of its arguments: they .* Call it again/)
    assert.deepEqual(
      response.output.map((item) => [item.type, 'status' in item && item.status]),
      [
        ['code_interpreter_call', 'incomplete'],
        ['code_interpreter_call', 'completed'],
        ['message', 'completed'],
      ],
    )
  })
}

test('a model that writes broken arguments again fails the response, and is asked no more', async (t) => {
  const { tool, ran } = serverTool()
  const scripts = ['{"city"', '{"city":'].map((input, index) => turn(called(`c${index}`, CODE_NAME, input)))
  const { model, ask } = await run(t, [...scripts, saying('Sunny.')], tool)
  const { response } = await ask()
  assert.equal(response.status, 'failed')
  assert.equal(response.error?.code, 'server_error')
  assert.match(response.error?.message ?? '', /'run_code' with broken arguments again: they are not a JSON object/)
  assert.deepEqual([ran, model.turns.length], [[], 2])
})

test('several broken calls of one turn are one chance; those beside them run', async (t) => {
  const { tool, ran } = serverTool()
  const three = turn(...['{', GOOD, '[]'].map((input, index) => called(`c${index}`, CODE_NAME, input)))
  const { model, ask } = await run(t, [three, saying('Sunny.')], tool)
  assert.equal((await ask()).response.status, 'completed')
  assert.deepEqual(ran, [JSON.parse(GOOD)])
  assert.deepEqual(
    answersIn(model).map(([id, answer]) => [id, answer?.slice(0, 5)]),
    [
      ['call_c0', 'Error'],
      ['call_c1', '20 de'],
      ['call_c2', 'Error'],
    ],
  )
})

test('a function that is not strict only has to get a JSON object', async (t) => {
  const { tool, ran } = serverTool()
  const { ask } = await run(t, [turn(called('a', CODE_NAME, '{"town":"Paris"}')), saying('Sunny.')], tool)
  const { response } = await ask({ tools: [{ ...HERE, strict: false }] })
  assert.deepEqual([response.status, ran], ['completed', [{ town: 'Paris' }]])
})

const BESIDE = { tools: [WEATHER, { type: 'shell' as const }] }
const COMMANDS = '{"commands":["ls"]}'
const runBeside = (t: TestContext, ...scripts: Script[]) =>
  run(t, scripts, undefined, [...createClientTools(), createFunctionTool()])

test('a broken call beside one that waits for the client: the model is told, and repairs it in one more turn', async (t) => {
  const scripts = [
    turn(called('a', WEATHER.name, GOOD), called('b', 'shell', '{"commands":')),
    turn(called('c', WEATHER.name, GOOD), called('d', 'shell', COMMANDS)),
  ]
  const { model, ask } = await runBeside(t, ...scripts, saying('never asked'))
  const { response } = await ask(BESIDE)
  assert.equal(response.status, 'completed')
  assert.deepEqual(
    answersIn(model).map(([id, answer]) => [id, answer?.slice(0, 25)]),
    [
      ['call_a', 'This call was handed over'],
      ['call_b', 'Error: the tool was not r'],
    ],
  )
  assert.deepEqual(model.turns[1]?.toolChoice, { mode: 'auto', allowed: ['shell'] })
  assert.deepEqual(
    response.output.map((item) => ['call_id' in item && item.call_id, 'status' in item && item.status]),
    [
      ['call_a', 'completed'],
      ['call_d', 'completed'],
    ],
    'the call that waits is not made twice, and the repaired one waits beside it',
  )
  assert.equal(model.turns.length, 2)

  const outputs = response.output.flatMap((item): object[] => {
    if (item.type === 'function_call') return [{ type: 'function_call_output', call_id: item.call_id, output: 'sun' }]
    const ran = { stdout: 'a', stderr: '', outcome: { type: 'exit', exit_code: 0 } }
    return item.type === 'shell_call' ? [{ type: 'shell_call_output', call_id: item.call_id, output: [ran] }] : []
  })
  const next = await ask({ ...BESIDE, previous_response_id: response.id, input: outputs })
  assert.equal(next.response.output_text, 'never asked')
})

test('a model that does not repair it says so, and the call that waits is handed over all the same', async (t) => {
  const broken = turn(called('a', WEATHER.name, GOOD), called('b', 'shell', '[]'))
  const { ask } = await runBeside(t, broken, saying('I leave it.'))
  const { response } = await ask(BESIDE)
  assert.equal(response.status, 'completed')
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['function_call', 'message'],
  )
})

test('broken again beside a call that waits, the response fails and says why', async (t) => {
  const broken = (id: string) => turn(called(`a${id}`, WEATHER.name, GOOD), called(`b${id}`, 'shell', '{'))
  const { model, ask } = await runBeside(t, broken('1'), broken('2'), saying('never asked'))
  const { response } = await ask(BESIDE)
  assert.equal(response.status, 'failed')
  assert.match(response.error?.message ?? '', /'shell' with broken arguments again/)
  assert.equal(model.turns.length, 2)
})
