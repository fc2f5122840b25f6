/** Tools that a provider runs itself: offered where the operator says so, carried through, remembered, and refused elsewhere. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import type { ChatUpstream } from '../fakes/chat-upstream.ts'
import { readFixtures } from '../fakes/responses-fixtures.ts'
import { startResponsesUpstream } from '../fakes/responses-upstream.ts'
import { eventsOf, send } from '../support/http.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const MODEL = 'search/m'
const WEB = { type: 'web_search' }
const PYTHON = { type: 'code_interpreter' }
const MCP = {
  type: 'mcp',
  server_label: 'docs',
  server_url: 'https://mcp.example.com/secret-path?token=abc',
  authorization: 'secret-token',
  headers: { 'x-key': 'secret-header' },
  require_approval: 'never',
}
const wireOf = (name: string) => readFixtures().find((fixture) => fixture.name === name)?.wire ?? ''

describe('tools that the provider runs', () => {
  let provider: ChatUpstream
  let server: TestServer
  let reply = ''
  before(async () => {
    provider = await startResponsesUpstream({ script: () => ({ wire: wireOf(reply) }), extraFields: [] })
    server = await startServer({
      checked: true,
      providers: [
        `search: { api_base: "${provider.url}", api_key: k, wire_api: responses, hosted_tools: [web_search, file_search, code_interpreter, image_generation, mcp] }`,
        `bare: { api_base: "${provider.url}", api_key: k, wire_api: responses }`,
      ],
    })
  })
  after(async () => {
    await server?.close()
    await provider?.close()
  })
  beforeEach(() => {
    reply = 'openai-web-search'
  })

  const create = async (body: Readonly<Record<string, unknown>>) => {
    const answer = await send(server, 'POST', '/v1/responses', { model: MODEL, input: 'Tea?', ...body })
    assert.equal(answer.status, 200, answer.text)
    return { response: answer.json as unknown as ResponseObject, headers: answer.headers }
  }
  const stream = async (body: Readonly<Record<string, unknown>>) => {
    const answer = await send(server, 'POST', '/v1/responses', { model: MODEL, input: 'Tea?', ...body, stream: true })
    const events = eventsOf(answer.text) as unknown as ResponseEvent[]
    let folded: ResponseObject | null = null
    for (const event of events.slice(0, -1)) folded = applyEvent(folded, event)
    const last = events.at(-1)
    assert.ok(last && 'response' in last, answer.text)
    assert.deepEqual(folded?.output, last.response.output)
    return { events, response: last.response }
  }
  const refusal = async (body: Readonly<Record<string, unknown>>) => {
    const answer = await send(server, 'POST', '/v1/responses', { model: MODEL, input: 'Tea?', ...body })
    return { status: answer.status, error: answer.json.error as { param: string; code: string; message: string } }
  }
  const sent = () => provider.requests.at(-1)?.body as Record<string, unknown>

  test('a search streams in its stages, under ids of ours, before the text that cites it', async () => {
    const { events, response } = await stream({ tools: [WEB], include: ['web_search_call.action.sources'] })
    const types = events.map(({ type }) => type)
    const from = types.indexOf('response.output_item.added')
    assert.deepEqual(types.slice(from, from + 5), [
      'response.output_item.added',
      'response.web_search_call.in_progress',
      'response.web_search_call.searching',
      'response.web_search_call.completed',
      'response.output_item.done',
    ])
    const [search, opened, message] = response.output
    assert.ok(search?.type === 'web_search_call' && opened?.type === 'web_search_call' && message?.type === 'message')
    assert.match(search.id, /^ws_[0-9a-f]{48}$/)
    assert.deepEqual(search.action, {
      type: 'search',
      query: 'tea',
      queries: ['tea'],
      sources: [{ type: 'url', url: 'https://example.com/tea' }],
    })
    assert.equal(message.content[0]?.type === 'output_text' && message.content[0].annotations[0]?.type, 'url_citation')
    assert.deepEqual(sent().tools, [WEB])
    assert.deepEqual(sent().include, ['reasoning.encrypted_content', 'web_search_call.action.sources'])
  })

  test('code streams piece by piece, then its output', async () => {
    reply = 'openai-code-interpreter'
    const { events, response } = await stream({ tools: [PYTHON], include: ['code_interpreter_call.outputs'] })
    const code = events.flatMap((event) =>
      event.type === 'response.code_interpreter_call_code.delta' ? [event.delta] : [],
    )
    assert.deepEqual(code, ['print', '(6*', '7)'])
    const call = response.output.find(({ type }) => type === 'code_interpreter_call')
    assert.ok(call?.type === 'code_interpreter_call')
    assert.deepEqual(call.outputs, [{ type: 'logs', logs: '42\n' }])
    assert.deepEqual(sent().tools, [{ type: 'code_interpreter', container: { type: 'auto' } }])
    assert.deepEqual(response.tools, [{ type: 'code_interpreter', container: { type: 'auto' } }])
  })

  test('file search, images and MCP go through; what the provider does not say of them is filled in', async () => {
    reply = 'openai-other-hosted'
    const tools = [{ type: 'file_search', vector_store_ids: ['vs_1'] }, { type: 'image_generation' }, MCP]
    const { events, response } = await stream({ tools })
    assert.deepEqual(
      response.output.map((item) => ('status' in item ? `${item.type} ${item.status}` : item.type)),
      [
        'file_search_call completed',
        'image_generation_call completed',
        'mcp_list_tools',
        'mcp_call failed',
        'mcp_approval_request',
      ],
    )
    const image = events.find(({ type }) => type === 'response.image_generation_call.partial_image')
    assert.ok(image && 'partial_image_b64' in image && image.partial_image_b64 === 'UEFSVA==')
    assert.ok(events.some(({ type }) => type === 'response.mcp_call.failed'))
    const [answer] = [await create({ tools })]
    assert.deepEqual(
      answer.response.output.map(({ type }) => type),
      response.output.map(({ type }) => type),
    )
  })

  test('secrets of an MCP server reach the provider and nobody else', async () => {
    const { response } = await create({ tools: [MCP] })
    assert.deepEqual(sent().tools, [MCP])
    const stored = await send(server, 'GET', `/v1/responses/${response.id}`)
    for (const text of [JSON.stringify(response), stored.text]) {
      assert.doesNotMatch(text, /secret/)
      assert.match(text, /https:\/\/mcp\.example\.com"/)
    }
  })

  test('what was found goes back to the provider on the next turn, and is listed with what is asked for', async () => {
    reply = 'openai-code-interpreter'
    const include = ['code_interpreter_call.outputs']
    const { response } = await create({ tools: [PYTHON], include })
    await create({ tools: [PYTHON], previous_response_id: response.id, input: 'And then?' })
    assert.equal(provider.requests.at(-1)?.refused, null)
    const input = sent().input as { type: string; outputs?: unknown; id?: string }[]
    assert.deepEqual(
      input.map(({ type }) => type),
      ['message', 'reasoning', 'code_interpreter_call', 'message', 'message'],
    )
    assert.deepEqual(input[2]?.outputs, [{ type: 'logs', logs: '42\n' }])
    assert.equal(input[1]?.id, 'rs_03')

    const next = await create({ tools: [PYTHON], previous_response_id: response.id, input: 'Once more.' })
    const listed = async (query: string) => {
      const list = await send(server, 'GET', `/v1/responses/${next.response.id}/input_items?order=asc${query}`)
      const items = list.json.data as { type: string; outputs?: unknown }[]
      return items.find(({ type }) => type === 'code_interpreter_call')
    }
    assert.equal((await listed(''))?.outputs, null)
    assert.deepEqual((await listed('&include=code_interpreter_call.outputs'))?.outputs, [
      { type: 'logs', logs: '42\n' },
    ])
  })

  test('a client that keeps its own state sends the items back, and they are taken', async () => {
    const { response } = await create({ tools: [WEB], store: false })
    await create({
      tools: [WEB],
      store: false,
      input: [{ role: 'user', content: 'Tea?' }, ...response.output, { role: 'user', content: 'And coffee?' }],
    })
    const input = sent().input as { type: string; id?: string }[]
    assert.deepEqual(
      input.map(({ type, id }) => `${type} ${id}`),
      [
        'message undefined',
        'web_search_call undefined',
        'web_search_call undefined',
        'message undefined',
        'message undefined',
      ],
    )
  })

  test('another model is told of them in words', async () => {
    const { response } = await create({ tools: [WEB] })
    const other = await create({ model: UPSTREAM_MODEL, previous_response_id: response.id, input: 'Say: more' })
    assert.equal(other.response.output_text, 'more')
    assert.equal(server.upstream.requests.at(-1)?.refused, null)
    assert.match(server.upstream.requests.at(-1)?.raw ?? '', /The tool web_search was called/)
  })

  test('tool_choice may name them, alone or among functions', async () => {
    const f = { type: 'function', name: 'f' }
    const choose = async (tool_choice: unknown, tools: unknown[] = [WEB, f]) => {
      await create({ tools, tool_choice })
      return sent()
    }
    assert.deepEqual((await choose({ type: 'web_search' })).tool_choice, { type: 'web_search' })
    assert.deepEqual((await choose({ type: 'mcp', server_label: 'docs' }, [MCP])).tool_choice, {
      type: 'mcp',
      server_label: 'docs',
    })
    assert.deepEqual((await choose('none')).tool_choice, 'none')
    const allowed = await choose({ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'web_search' }] })
    assert.deepEqual(allowed.tools, [WEB])
    assert.deepEqual((await refusal({ tools: [f], tool_choice: { type: 'web_search' } })).error.param, 'tool_choice')
    assert.equal((await choose('required', [WEB])).tool_choice, 'required')
  })

  test('max_tool_calls is the provider’s to keep', async () => {
    await create({ tools: [WEB], max_tool_calls: 3 })
    assert.equal(sent().max_tool_calls, 3)
  })

  test('a provider that the operator did not switch them on for is not asked', async () => {
    for (const model of ['bare/m', UPSTREAM_MODEL, 'demo']) {
      const { status, error } = await refusal({ model, tools: [{ type: 'function', name: 'f' }, WEB] })
      assert.equal(status, 400)
      assert.equal(`${error.param} ${error.code}`, 'tools[1].type unsupported_value')
    }
    const offline = await create({ model: 'demo', input: 'Say: ok', tools: [{ ...WEB, external_web_access: false }] })
    assert.equal(offline.response.output_text, 'ok')
    assert.deepEqual(offline.response.tools, [])
    assert.match(String(offline.headers['x-antiphon-warnings']), /tools\[0\].*web_search.*left out/)
    const told = { model: 'demo', tools: [{ ...WEB, external_web_access: false }], tool_choice: { type: 'web_search' } }
    assert.equal((await refusal(told)).status, 400)
  })

  test('a broken declaration is refused with its field before anything is sent', async () => {
    const before = provider.requests.length
    const { error } = await refusal({ tools: [{ type: 'file_search' }] })
    assert.equal(error.param, 'tools[0].vector_store_ids')
    assert.equal(provider.requests.length, before)
  })
})

test('the operator may have tools left out that nobody runs', async () => {
  const server = await startServer({
    config:
      'defaults: { unsupported_params: warn }\n' +
      'tools: { mcp: { enabled: false }, programmatic_tool_calling: { sandbox: "off" } }\n',
  })
  try {
    const body = { model: 'demo', input: 'Say: ok', tools: [WEB, MCP, { type: 'programmatic_tool_calling' }] }
    const reply = await send(server, 'POST', '/v1/responses', body)
    assert.equal(reply.json.output_text, 'ok')
    assert.equal(String(reply.headers['x-antiphon-warnings']).match(/left out/g)?.length, 3)
  } finally {
    await server.close()
  }
})
