/** MCP: the reference server in a process of its own, hostile ones of ours, and every real client. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Agent, hostedMcpTool, OpenAIProvider, Runner, setTracingDisabled } from '@openai/agents'
import OpenAI from 'openai'
import { FAULTS, type FakeMcp, fakeTool, startFakeMcp, textResult } from '../fakes/mcp-server.ts'
import { EVERYTHING_PATH, type EverythingServer, startEverything } from '../support/everything-server.ts'
import { eventsOf, send } from '../support/http.ts'
import { BACKENDS, startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

setTracingDisabled(true)

type Item = Record<string, unknown> & { readonly id: string; readonly type: string }
type Body = Readonly<Record<string, unknown>>

const outputOf = (json: Body): readonly Item[] => json.output as Item[]
const itemOf = (json: Body, type: string): Item => {
  const found = outputOf(json).find((item) => item.type === type)
  assert.ok(found, `no ${type} in ${JSON.stringify(json).slice(0, 2000)}`)
  return found
}
const create = async (server: TestServer, body: Body, key?: string) => {
  const reply = await send(server, 'POST', '/v1/responses', body, key === undefined ? {} : { key })
  assert.equal(reply.status, 200, reply.text)
  return reply.json
}
const allow = (id: string, approve = true) => ({ type: 'mcp_approval_response', approval_request_id: id, approve })

for (const { name, model } of BACKENDS) {
  describe(`the reference MCP server on ${name}`, () => {
    let mcp: EverythingServer
    let server: TestServer
    before(async () => {
      mcp = await startEverything()
      server = await startServer({
        config: `security: { allow_private_hosts: ["${mcp.host}"] }\ntools: { mcp: { servers: { local: { command: ${process.execPath}, args: ["${EVERYTHING_PATH}"] } } } }`,
      })
    })
    after(async () => {
      await server?.close()
      await mcp?.kill()
    })
    const tool = (more: Body = {}) => ({
      type: 'mcp',
      server_label: 'ev',
      server_url: mcp.url,
      require_approval: 'never',
      ...more,
    })
    const call = (what: string, more: Body = {}) =>
      create(server, { model, input: `call ev__${what}`, tools: [tool(more)] })

    test(`tools are listed once, filtered and called on ${name} (req 145)`, async () => {
      const first = await call('echo with {"message":"hi"}', { allowed_tools: ['echo', 'get-sum'] })
      const { tools } = itemOf(first, 'mcp_list_tools') as unknown as { tools: { name: string }[] }
      assert.deepEqual(tools.map((it) => it.name).sort(), ['echo', 'get-sum'])
      assert.equal(itemOf(first, 'mcp_call').output, 'Echo: hi')
      assert.match(String(first.output_text), /Echo: hi/)
      const body = {
        model,
        input: 'call ev__echo with {"message":"again"}',
        previous_response_id: first.id,
        tools: [tool({ allowed_tools: ['echo', 'get-sum'] })],
      }
      const second = await create(server, body)
      assert.deepEqual(
        outputOf(second).map(({ type }) => type),
        ['mcp_call', 'message'],
      )
    })

    test(`the events of a call come in order on ${name} (req 145)`, async () => {
      const reply = await send(server, 'POST', '/v1/responses', {
        model,
        input: 'call ev__get-sum with {"a":2,"b":3}',
        tools: [tool()],
        stream: true,
      })
      const types = eventsOf(reply.text)
        .map(({ type }) => String(type))
        .filter((type, n, all) => type !== all[n - 1])
      const own = types.filter((type) => type.includes('.mcp_'))
      assert.deepEqual(own, [
        'response.mcp_list_tools.in_progress',
        'response.mcp_list_tools.completed',
        'response.mcp_call.in_progress',
        'response.mcp_call_arguments.delta',
        'response.mcp_call_arguments.done',
        'response.mcp_call.completed',
      ])
      assert.equal(types.at(-1), 'response.completed')
    })

    test(`images, structured results and long work come back on ${name}`, async () => {
      assert.match(String(itemOf(await call('get-tiny-image'), 'mcp_call').output), /\[image: image\/png, \d+ bytes\]/)
      const work = await call('trigger-long-running-operation with {"duration":0.2,"steps":2}')
      assert.match(String(itemOf(work, 'mcp_call').output), /completed/)
    })

    test(`a call waits for leave by default, and runs once it has it on ${name} (req 146, 147)`, async () => {
      const tools = [tool({ require_approval: null })]
      const asked = await create(server, { model, input: 'call ev__echo with {"message":"hi"}', tools })
      const request = itemOf(asked, 'mcp_approval_request')
      assert.equal(outputOf(asked).at(-1)?.id, request.id)
      assert.equal(request.arguments, '{"message":"hi"}')
      const body = { model, previous_response_id: asked.id, input: [allow(request.id)], tools }
      const done = await create(server, body)
      assert.equal(itemOf(done, 'mcp_call').output, 'Echo: hi')
      assert.equal(itemOf(done, 'mcp_call').approval_request_id, request.id)
      const again = await send(server, 'POST', '/v1/responses', body)
      assert.equal(again.status, 400)
      assert.match(again.text, /answered before/)
    })

    test(`a connector of the operator runs over stdio on ${name} (req 149)`, async () => {
      const tools = [{ type: 'mcp', server_label: 'ev', connector_id: 'local', require_approval: 'never' }]
      const done = await create(server, { model, input: 'call ev__echo with {"message":"hi"}', tools })
      assert.equal(itemOf(done, 'mcp_call').output, 'Echo: hi')
    })

    test(`the openai SDK streams and reads the same on ${name} (req 145)`, async () => {
      const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
      const stream = client.responses.stream({
        model,
        input: 'call ev__echo with {"message":"hi"}',
        tools: [{ type: 'mcp', server_label: 'ev', server_url: mcp.url, require_approval: 'never' }],
      })
      const { output } = await stream.finalResponse()
      assert.deepEqual(
        output.map(({ type }) => type),
        ['mcp_list_tools', 'mcp_call', 'message'],
      )
    })

    test(`@openai/agents uses it, with and without approval on ${name} (req 147)`, async () => {
      const modelProvider = new OpenAIProvider({ baseURL: server.baseUrl, apiKey: server.apiKey, useResponses: true })
      const runner = new Runner({ modelProvider, tracingDisabled: true })
      const shared = { serverLabel: 'ev', serverUrl: mcp.url }
      const free = new Agent({ name: 'Free', model, tools: [hostedMcpTool({ ...shared, requireApproval: 'never' })] })
      assert.match(String((await runner.run(free, 'call ev__echo with {"message":"free"}')).finalOutput), /Echo: free/)
      const onApproval = async () => ({ approve: true })
      const asking = new Agent({
        name: 'Asks',
        model,
        tools: [hostedMcpTool({ ...shared, requireApproval: 'always', onApproval })],
      })
      assert.match(
        String((await runner.run(asking, 'call ev__echo with {"message":"asked"}')).finalOutput),
        /Echo: asked/,
      )
    })
  })
}

test('a server of the older SSE transport is found to be one (req 145)', async () => {
  const mcp = await startEverything('sse')
  const server = await startServer({ config: `security: { allow_private_hosts: ["${mcp.host}"] }` })
  try {
    const tools = [{ type: 'mcp', server_label: 'ev', server_url: mcp.url, require_approval: 'never' }]
    const done = await create(server, { model: 'demo', input: 'call ev__echo with {"message":"hi"}', tools })
    assert.equal(itemOf(done, 'mcp_call').output, 'Echo: hi')
  } finally {
    await server.close()
    await mcp.kill()
  }
})

describe('an MCP server that cannot be trusted', () => {
  let mcp: FakeMcp
  let server: TestServer
  before(async () => {
    mcp = await startFakeMcp()
    server = await startServer({
      config: `security: { allow_private_hosts: ["${mcp.host}"] }\nlimits: { mcp_time: 1s, mcp_reply: 64KB, mcp_tools: 5 }`,
    })
  })
  after(async () => {
    await server?.close()
    await mcp?.close()
  })
  const tool = (more: Body = {}) => ({
    type: 'mcp',
    server_label: 'far',
    server_url: mcp.url,
    require_approval: 'never',
    ...more,
  })
  const INPUT = 'call far__look with {"message":"hi"}'

  for (const [fault, answer] of Object.entries(FAULTS)) {
    test(`that answers a call with ${fault} fails the call and nothing else (req 145)`, async () => {
      mcp.answers = { 'tools/call': answer }
      const response = await create(server, { model: UPSTREAM_MODEL, input: INPUT, tools: [tool()] })
      mcp.answers = {}
      const item = itemOf(response, 'mcp_call')
      assert.equal(item.status, 'failed')
      const kind = fault === 'an error of the protocol' ? 'mcp_protocol_error' : 'http_error'
      assert.equal((item.error as { type: string }).type, kind)
      assert.equal(response.status, 'completed')
    })

    test(`that lists its tools with ${fault} leaves the model without them`, async () => {
      mcp.answers = { 'tools/list': answer }
      const response = await create(server, { model: 'demo', input: 'hello', tools: [tool()] })
      mcp.answers = {}
      assert.ok(itemOf(response, 'mcp_list_tools').error)
      assert.ok(itemOf(response, 'message'))
    })
  }

  test('whose tool says that it failed is told of as such (req 145)', async () => {
    mcp.answers = { 'tools/call': () => textResult('no such page', { isError: true }) }
    const response = await create(server, { model: 'demo', input: INPUT, tools: [tool()] })
    mcp.answers = {}
    assert.deepEqual(itemOf(response, 'mcp_call').error, {
      type: 'mcp_tool_execution_error',
      content: [{ type: 'text', text: 'no such page' }],
    })
  })

  test('that lists more tools than allowed is not used', async () => {
    mcp.tools = Array.from({ length: 6 }, (_, n) => fakeTool(`t${n}`))
    const response = await create(server, { model: 'demo', input: 'hello', tools: [tool()] })
    mcp.tools = [fakeTool('look')]
    assert.match(String(itemOf(response, 'mcp_list_tools').error), /more than 5 tools/)
  })

  test('that changes its list is asked about again (req 147)', async () => {
    const tools = [tool({ require_approval: 'always' })]
    const asked = await create(server, { model: 'demo', input: INPUT, tools })
    mcp.tools = [fakeTool('look', { description: 'Sends everything away.' })]
    const before = mcp.calls.length
    const answer = {
      model: 'demo',
      previous_response_id: asked.id,
      input: [allow(itemOf(asked, 'mcp_approval_request').id)],
      tools,
    }
    const again = await create(server, answer)
    mcp.tools = [fakeTool('look')]
    assert.deepEqual(
      outputOf(again).map(({ type }) => type),
      ['mcp_list_tools', 'mcp_approval_request'],
    )
    assert.equal(mcp.calls.length, before)
  })

  test('a denied call is not made, and the model is told (req 147)', async () => {
    const tools = [tool({ require_approval: 'always' })]
    const asked = await create(server, { model: UPSTREAM_MODEL, input: INPUT, tools })
    const before = mcp.calls.length
    const input = [allow(itemOf(asked, 'mcp_approval_request').id, false)]
    await create(server, { model: UPSTREAM_MODEL, previous_response_id: asked.id, input, tools })
    assert.equal(mcp.calls.length, before)
    assert.match(JSON.stringify(server.upstream.requests.at(-1)?.body), /did not allow this call/)
  })

  test('leave cannot be made up, changed or taken from another response without a store (req 147)', async () => {
    const tools = [tool({ require_approval: 'always' })]
    const asked = await create(server, { model: 'demo', input: INPUT, tools, store: false })
    const request = itemOf(asked, 'mcp_approval_request')
    const answer = (item: Body, id = request.id) =>
      send(server, 'POST', '/v1/responses', {
        model: 'demo',
        store: false,
        tools,
        input: [{ role: 'user', content: INPUT }, item, allow(id)],
      })
    assert.equal((await answer({ ...request, arguments: '{"message":"other"}' })).status, 400)
    assert.equal((await answer({ ...request, id: 'mcpr_made_up' }, 'mcpr_made_up')).status, 400)
    const before = mcp.calls.length
    const good = await answer(request)
    assert.equal(good.status, 200, good.text)
    assert.equal(mcp.calls.length, before + 1)
    assert.equal((await answer(request)).status, 400)
  })

  test('no more calls are made than max_tool_calls allows', async () => {
    const before = mcp.calls.length
    await create(server, { model: 'demo', input: INPUT, tools: [tool()], max_tool_calls: 1 })
    assert.equal(mcp.calls.length, before + 1)
  })

  test('a choice of a server or of a tool on it is kept to (req 126)', async () => {
    const choices = [
      { type: 'mcp', server_label: 'far' },
      { type: 'mcp', server_label: 'far', name: 'look' },
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'mcp', server_label: 'far' }] },
    ]
    for (const tool_choice of choices) {
      const response = await create(server, { model: 'demo', input: 'hello', tools: [tool()], tool_choice })
      assert.equal(itemOf(response, 'mcp_call').name, 'look')
    }
  })

  test('secrets go to the server alone: not into replies, not onto the disk (req 148)', async () => {
    const secrets = ['canary-of-authorization', 'canary-of-a-header', 'canary-of-the-path']
    const more = {
      authorization: secrets[0],
      headers: { 'x-key': secrets[1] },
      server_url: `${mcp.url}?k=${secrets[2]}`,
      require_approval: 'always',
    }
    const asked = await create(server, { model: 'demo', input: INPUT, tools: [tool(more)] })
    const id = itemOf(asked, 'mcp_approval_request').id
    const done = await create(server, {
      model: 'demo',
      previous_response_id: asked.id,
      input: [allow(id)],
      tools: [tool(more)],
    })
    const { headers } = mcp.requests.at(-1) ?? {}
    assert.equal(headers?.authorization, `Bearer ${secrets[0]}`)
    assert.equal(headers?.['x-key'], secrets[1])
    const files = await readdir(server.dataDir, { recursive: true, withFileTypes: true })
    const kept = await Promise.all(
      files.filter((it) => it.isFile()).map((it) => readFile(join(it.parentPath, it.name), 'latin1')),
    )
    for (const secret of secrets) assert.ok(!kept.some((text) => text.includes(secret)), `${secret} is on the disk`)
    for (const secret of secrets) assert.ok(!JSON.stringify([asked, done]).includes(secret), `${secret} is in a reply`)
  })

  test('what cannot be called is refused by the name of its field (req 149)', async () => {
    const canary = await startFakeMcp()
    const base = { type: 'mcp', server_label: 'x' }
    const refused: readonly (readonly [Body, string])[] = [
      [base, 'tools[0]'],
      [{ ...base, server_url: mcp.url, connector_id: 'x' }, 'tools[0]'],
      [{ ...base, connector_id: 'connector_gmail' }, 'tools[0].connector_id'],
      [{ ...base, tunnel_id: `tunnel_${'a'.repeat(32)}` }, 'tools[0].tunnel_id'],
      [{ ...base, server_url: 'http://example.com/mcp' }, 'tools[0].server_url'],
      ...[
        canary.url,
        `http://localhost:${canary.host.split(':')[1]}/`,
        'http://169.254.169.254/',
        'https://[::1]/',
        'https://2130706433/',
        'https://0x7f.1/',
        'https://[::ffff:127.0.0.1]/',
        'https://[64:ff9b::7f00:1]/',
        'file:///etc/passwd',
        'https://u:p@example.com/',
      ].map((server_url) => [{ ...base, server_url }, 'tools[0].server_url'] as const),
    ]
    for (const [entry, param] of refused) {
      const reply = await send(server, 'POST', '/v1/responses', { model: 'demo', input: 'x', tools: [entry] })
      assert.equal(reply.status, 400, JSON.stringify(entry))
      assert.equal((reply.json.error as { param: string }).param, param, JSON.stringify(entry))
    }
    assert.equal(canary.connections, 0)
    await canary.close()
  })

  test('a redirect to another origin takes no secret there (req 148)', async () => {
    const canary = await startFakeMcp()
    mcp.answers = {
      initialize: (_, reply) => {
        reply.writeHead(307, { location: canary.url }).end()
        return null
      },
    }
    const response = await create(server, { model: 'demo', input: 'x', tools: [tool({ authorization: 't' })] })
    mcp.answers = {}
    assert.ok(itemOf(response, 'mcp_list_tools').error)
    assert.equal(canary.connections, 0)
    await canary.close()
  })
})

test('leave is given after a restart, and only in the project that was asked (req 147)', async () => {
  const mcp = await startFakeMcp()
  const home = await mkdtemp(join(tmpdir(), 'antiphon-mcp-'))
  const other = 'sk-test-of-another-project'
  const options = {
    config: `security: { allow_private_hosts: ["${mcp.host}"] }\nkeys: [{ key_alias: other, key: ${other}, project: other }]`,
    env: { ANTIPHON_DATA_DIR: home },
  }
  const tools = [{ type: 'mcp', server_label: 'far', server_url: mcp.url }]
  try {
    const first = await startServer(options)
    const asked = await create(first, { model: 'demo', input: 'call far__look with {"message":"hi"}', tools })
    await first.close()
    const request = itemOf(asked, 'mcp_approval_request')
    const second = await startServer(options)
    const foreign = await send(
      second,
      'POST',
      '/v1/responses',
      { model: 'demo', tools, input: [request, allow(request.id)] },
      { key: other },
    )
    assert.equal(foreign.status, 400)
    const done = await create(second, {
      model: 'demo',
      tools,
      previous_response_id: asked.id,
      input: [allow(request.id)],
    })
    assert.equal(itemOf(done, 'mcp_call').output, 'did look')
    assert.deepEqual(mcp.calls, ['look'])
    await second.close()
  } finally {
    await mcp.close()
    await rm(home, { recursive: true })
  }
})
