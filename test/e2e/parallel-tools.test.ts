/** Calls of one turn that run here, at once, as the official SDK sees them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { type FakeMcp, fakeTool, sendJson, startFakeMcp, textResult } from '../fakes/mcp-server.ts'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

const NAMES = ['one', 'two', 'three'] as const
const MINE = { type: 'function' as const, name: 'mine', parameters: { type: 'object', properties: {} }, strict: false }

/** Answers when all three calls have come, the last one first: it never would if they came one after the other. */
function answerTogether(mcp: FakeMcp) {
  let waiting: (() => void)[] = []
  mcp.answers = {
    'tools/call': ({ id, params }, reply) => {
      waiting.push(() => sendJson(reply, { jsonrpc: '2.0', id, result: textResult(`did ${params.name}`) }))
      if (waiting.length < NAMES.length) return null
      for (const answer of waiting.toReversed()) answer()
      waiting = []
      return null
    },
  }
}

describe('three calls at once', () => {
  let mcp: FakeMcp
  let server: TestServer
  let openai: OpenAI
  before(async () => {
    mcp = await startFakeMcp(NAMES.map((name) => fakeTool(name)))
    server = await startServer({ checked: true, config: `security: { allow_private_hosts: ["${mcp.host}"] }\n` })
    openai = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server?.close()
    await mcp?.close()
  })
  const tools = () => [
    MINE,
    { type: 'mcp' as const, server_label: 'fk', server_url: mcp.url, require_approval: 'never' as const },
  ]

  test('run side by side beside a call of the client; the stream is lawful and each has its own result', async () => {
    answerTogether(mcp)
    const input = 'call fk__one, fk__two, fk__three and mine'
    const stream = openai.responses.stream({ model: 'demo', input, tools: tools() })
    const events: ResponseStreamEvent[] = []
    stream.on('event', (event) => events.push(event))
    const response = await stream.finalResponse()
    const calls = response.output.flatMap((item) => (item.type === 'mcp_call' ? [`${item.name}: ${item.output}`] : []))
    assert.deepEqual(calls, ['one: did one', 'two: did two', 'three: did three'])
    assert.equal(response.output.filter(({ type }) => type === 'function_call').length, 1)
    assert.equal(response.status, 'completed')
    const places = (type: string) =>
      events.flatMap((event, at) =>
        event.type === type && 'item' in event && event.item.type === 'mcp_call' ? [at] : [],
      )
    const opened = places('response.output_item.added')
    const closed = places('response.output_item.done')
    assert.ok(Math.max(...opened) < Math.min(...closed), 'all were open at once')
    const terminal = events.at(-1)
    assert.ok(terminal?.type === 'response.completed')
    assert.deepEqual(
      terminal.response.output.map(({ id }) => id),
      response.output.map(({ id }) => id),
    )
  })

  test('count together: with two allowed the third is not run, and the answer still comes (req 155)', async () => {
    mcp.answers = {}
    const before = mcp.calls.length
    const input = 'call fk__one, fk__two and fk__three'
    const response = await openai.responses.create({ model: 'demo', input, tools: tools(), max_tool_calls: 2 })
    assert.equal(mcp.calls.length - before, 2)
    assert.equal(response.output.filter(({ type }) => type === 'mcp_call').length, 2)
    assert.ok(response.output_text.length > 0)
  })
})

for (const { name, model } of BACKENDS) {
  test(`a tool that is held back is found and called, on ${name} (req 132)`, async () => {
    const server = await startServer({ checked: true })
    try {
      const openai = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
      const tools = [
        { type: 'tool_search' as const },
        {
          type: 'namespace' as const,
          name: 'crm',
          description: 'Records of customers.',
          tools: [
            { type: 'function' as const, name: 'list_orders', description: 'What was bought.', defer_loading: true },
          ],
        },
      ]
      const first = await openai.responses
        .stream({ model, input: 'call tool_search with {"query":"list orders"}', tools })
        .finalResponse()
      const [search, found] = first.output
      assert.ok(search?.type === 'tool_search_call' && found?.type === 'tool_search_output')
      assert.equal(found.tools.length, 1)
      const second = await openai.responses.create({
        model,
        previous_response_id: first.id,
        input: 'call crm__list_orders',
        tools,
      })
      const call = second.output.find(({ type }) => type === 'function_call')
      assert.ok(call?.type === 'function_call')
      assert.deepEqual([call.namespace, call.name], ['crm', 'list_orders'])
    } finally {
      await server.close()
    }
  })
}
