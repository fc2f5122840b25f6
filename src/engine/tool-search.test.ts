import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { checkRunLaws } from '../../test/laws/run-laws.ts'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import type { ModelEvent } from '../models/model.ts'
import { ApiError } from '../protocol/errors.ts'
import type { InputItemParam } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { ToolParam } from '../protocol/tools.ts'

let fixture: EngineFixture | null = null
afterEach(() => fixture?.close())

const called = (id: string, name: string, input: object | string): ModelEvent[] => [
  { type: 'call-start', id, kind: 'function', name, callId: `call_${id}` },
  { type: 'call-delta', id, delta: typeof input === 'string' ? input : JSON.stringify(input) },
  { type: 'call-end', id },
]
const turn = (...events: ModelEvent[][]): Script => ({ batches: [[...events.flat(), finish('tool_calls')]] })

const CRM: ToolParam = {
  type: 'namespace',
  name: 'crm',
  description: 'Records of customers.',
  tools: [
    { type: 'function', name: 'find_customer', description: 'By name.', defer_loading: true },
    { type: 'function', name: 'list_orders', description: 'What was bought.', defer_loading: true },
  ],
}
const MAIL: ToolParam = { type: 'function', name: 'sendMail', description: 'Writes a letter.', defer_loading: true }
const PLAIN: ToolParam = { type: 'function', name: 'plain' }
const SEARCH: ToolParam = { type: 'tool_search' }

async function open(scripts: readonly Script[]) {
  const model = scriptedModel(scripts)
  const opened = await openEngine(model)
  fixture = opened
  const ask = async (request: Partial<CreateResponseRequest> & { readonly input?: string | InputItemParam[] }) => {
    const body = { model: 'm', input: 'Go on.', tools: [SEARCH, CRM, MAIL, PLAIN], ...request }
    const run = await opened.engine.createResponse(body, opened.caller())
    return checkRunLaws(await readAll(run.events))
  }
  return { model, ask, offered: (at: number) => (model.turns.at(at)?.tools ?? []).map(({ name }) => name) }
}

describe('tools that are held back (req 132)', () => {
  test('are named by their group, found by a search, and offered from the next turn on', async () => {
    const { model, ask, offered } = await open([
      turn(called('a', 'tool_search', { query: 'orders of a customer' })),
      turn(called('b', 'crm__list_orders', {})),
    ])
    const response = await ask({})
    assert.deepEqual(offered(0), ['tool_search', 'plain'])
    const about = model.turns[0]?.tools[0]?.description ?? ''
    assert.match(about, /- crm: Records of customers\./)
    assert.match(about, /- sendMail: Writes a letter\./)
    assert.doesNotMatch(about, /find_customer/)
    assert.deepEqual(offered(1), ['tool_search', 'plain', 'crm__find_customer', 'crm__list_orders'])
    const [search, found, call] = response.output
    assert.ok(search?.type === 'tool_search_call' && found?.type === 'tool_search_output')
    assert.deepEqual(
      [search.execution, search.arguments, search.status],
      ['server', { query: 'orders of a customer' }, 'completed'],
    )
    assert.equal(found.call_id, search.call_id)
    assert.deepEqual(
      found.tools.map((tool) => tool.type === 'namespace' && tool.tools.map(({ name }) => name)),
      [['find_customer', 'list_orders']],
    )
    assert.ok(call?.type === 'function_call')
    assert.deepEqual([call.namespace, call.name], ['crm', 'list_orders'])
    const last = model.turns[1]?.items.at(-1)
    assert.match(String(last?.type === 'function_call_output' && last.output), /can be called now: crm__/)
  })

  test('stay offered in the responses that go on from there', async () => {
    const { ask, offered } = await open([
      turn(called('a', 'tool_search', { query: 'mail' })),
      saying('Found.'),
      saying('Again.'),
    ])
    const { id } = await ask({})
    await ask({ previous_response_id: id })
    assert.deepEqual(offered(-1), ['tool_search', 'plain', 'sendMail'])
  })

  test('that nothing is found of, are listed again', async () => {
    const { model, ask } = await open([turn(called('a', 'tool_search', { query: 'zebra' })), saying('No.')])
    const response = await ask({})
    assert.deepEqual(response.output[1]?.type === 'tool_search_output' && response.output[1].tools, [])
    assert.match(JSON.stringify(model.turns[1]?.items.at(-1)), /No tool was found.*- crm/)
  })

  test('are offered at once where a choice names them, or nothing searches', async () => {
    const { ask, offered } = await open([saying('Yes.')])
    await ask({ tool_choice: { type: 'function', name: 'sendMail' } })
    assert.deepEqual(offered(-1), ['tool_search', 'plain', 'sendMail'])
    await ask({ tools: [CRM, PLAIN] })
    assert.deepEqual(offered(-1), ['crm__find_customer', 'crm__list_orders', 'plain'])
  })

  test('a search counts as a call of this server, and one without a query is told', async () => {
    const { model, ask } = await open([
      turn(
        called('a', 'tool_search', {}),
        called('b', 'tool_search', { query: 'mail' }),
        called('c', 'tool_search', { query: 'crm' }),
      ),
      saying('Done.'),
    ])
    const response = await ask({ max_tool_calls: 1 })
    assert.deepEqual(
      response.output.map(({ type }) => type),
      ['tool_search_call', 'tool_search_output', 'message'],
    )
    const outputs = model.turns[1]?.items.flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []))
    assert.match(String(outputs?.[0]), /'query' is not a text/)
    assert.match(String(outputs?.[2]), /limit of tool calls/)
  })
})

describe('a search that the client runs (req 132)', () => {
  const search: ToolParam = {
    type: 'tool_search',
    execution: 'client',
    description: 'Asks the registry.',
    parameters: { type: 'object', properties: { goal: { type: 'string' } } },
  }

  test('is handed over with its arguments, and what the client found is offered', async () => {
    const { model, ask, offered } = await open([
      turn(called('a', 'tool_search', { goal: 'weather' })),
      turn(called('b', 'get_weather', { city: 'Oslo' })),
    ])
    const first = await ask({ tools: [search] })
    const declaration = model.turns[0]?.tools[0]
    assert.equal(declaration?.description, 'Asks the registry.')
    const [call] = first.output
    assert.ok(call?.type === 'tool_search_call')
    assert.deepEqual([call.execution, call.arguments], ['client', { goal: 'weather' }])
    const found: InputItemParam = {
      type: 'tool_search_output',
      call_id: call.call_id,
      execution: 'client',
      tools: [{ type: 'function', name: 'get_weather', defer_loading: true }],
    }
    const second = await ask({ tools: [search], previous_response_id: first.id, input: [found] })
    assert.deepEqual(offered(-1), ['tool_search', 'get_weather'])
    assert.ok(second.output[0]?.type === 'function_call')
  })

  test('waits for its output like any call of the client', async () => {
    const { ask } = await open([turn(called('a', 'tool_search', {}))])
    const first = await ask({ tools: [search] })
    await assert.rejects(
      ask({ tools: [search], previous_response_id: first.id }),
      /No tool output found for tool search/,
    )
  })
})

test('searches of another server, which have no call id, are shown as pairs', async () => {
  const { model, ask } = await open([saying('Yes.')])
  await ask({
    input: [
      { type: 'tool_search_call', execution: 'server', arguments: { paths: ['crm'] } },
      { type: 'tool_search_output', execution: 'server', tools: [{ type: 'function', name: 'late' }] },
      { role: 'user', content: 'Go on.' },
    ],
  })
  const [call, output] = model.turns[0]?.items ?? []
  assert.ok(call?.type === 'function_call' && output?.type === 'function_call_output')
  assert.equal(call.call_id, output.call_id)
  assert.ok(model.turns[0]?.tools.some(({ name }) => name === 'late'))
})

test('a second search in one request is refused', async () => {
  const { ask } = await open([saying('Yes.')])
  await assert.rejects(
    ask({ tools: [SEARCH, SEARCH] }),
    (error: unknown) => error instanceof ApiError && error.status === 400 && error.param === 'tools[1]',
  )
})
