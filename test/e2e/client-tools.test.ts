/** Tools that a client runs and that are no functions: by the official SDK, on every kind of model, and passed through. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import OpenAI from 'openai'
import type { Response, ResponseInputItem } from 'openai/resources/responses/responses'
import type { ChatUpstream } from '../fakes/chat-upstream.ts'
import { startResponsesUpstream } from '../fakes/responses-upstream.ts'
import { send } from '../support/http.ts'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const SHELL = { type: 'shell' as const, environment: { type: 'local' as const } }
const DIFF = '@@\n-a\n+b\n'

for (const backend of BACKENDS) {
  describe(`tools of the client on ${backend.name}`, () => {
    let server: TestServer
    let openai: OpenAI
    before(async () => {
      server = await startServer({ checked: true })
      openai = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    })
    after(() => server.close())

    test(`the commands of a shell stream, and its output goes back, on ${backend.name} (req 152)`, async () => {
      const input = 'call shell with {"commands":["ls -l","pwd"],"timeout_ms":5000}'
      const stream = openai.responses.stream({ model: backend.model, input, tools: [SHELL] })
      const commands: string[] = []
      stream.on('event', (event) => {
        if (event.type === 'response.shell_call_command.delta') commands.push(`${event.command_index} ${event.delta}`)
      })
      const response = await stream.finalResponse()
      assert.deepEqual(commands, ['0 ls -l', '1 pwd'])
      const [call] = response.output.filter(({ type }) => type === 'shell_call')
      assert.ok(call?.type === 'shell_call')
      assert.deepEqual(
        [call.action.commands, call.action.timeout_ms, call.status],
        [['ls -l', 'pwd'], 5000, 'completed'],
      )
      assert.deepEqual(response.tools, [SHELL])
      const next = await openai.responses.create({
        model: backend.model,
        previous_response_id: response.id,
        tools: [SHELL],
        input: [
          {
            type: 'shell_call_output',
            call_id: call.call_id,
            max_output_length: call.action.max_output_length,
            output: [{ stdout: 'total 17', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
          },
        ],
      })
      assert.match(next.output_text, /total 17/)
    })

    test(`a patch and a local shell go round, also in a conversation, on ${backend.name} (req 153)`, async () => {
      const { id: conversation } = await openai.conversations.create()
      const patch = JSON.stringify({ type: 'update_file', path: 'a.txt', diff: DIFF })
      const tools = [{ type: 'apply_patch' as const }, { type: 'local_shell' as const }]
      const ask = (input: string | ResponseInputItem[]) =>
        openai.responses.create({ model: backend.model, conversation, tools, input })
      const [call] = (await ask(`call apply_patch with ${patch}`)).output.filter(
        ({ type }) => type === 'apply_patch_call',
      )
      assert.ok(call?.type === 'apply_patch_call')
      assert.deepEqual(call.operation, JSON.parse(patch))
      const { call_id } = call
      const done = await ask([{ type: 'apply_patch_call_output', call_id, status: 'completed', output: 'Patched 17.' }])
      assert.match(done.output_text, /Patched 17/)
      const listing = await ask('call local_shell with {"command":["ls"]}')
      const [shell] = listing.output.filter(({ type }) => type === 'local_shell_call')
      assert.ok(shell?.type === 'local_shell_call')
      const told = await ask([{ type: 'local_shell_call_output', id: shell.call_id, output: '{"stdout":"b17.txt"}' }])
      assert.match(told.output_text, /b17/)
      const { data } = await openai.conversations.items.list(conversation, { order: 'asc' })
      assert.deepEqual(
        data.map(({ type }) => type).filter((type) => type !== 'message' && type !== 'reasoning'),
        ['apply_patch_call', 'apply_patch_call_output', 'local_shell_call', 'local_shell_call_output'],
      )
    })

    test(`a computer is shown to a model that sees, on ${backend.name} (req 151)`, async () => {
      const tools = [{ type: 'computer' as const }]
      const input =
        'call computer with {"actions":[{"type":"screenshot"},{"type":"click","button":"left","x":1,"y":2}]}'
      const first = await openai.responses.create({
        model: backend.model,
        input,
        tools,
        tool_choice: { type: 'computer' },
      })
      const [call] = first.output.filter(({ type }) => type === 'computer_call')
      assert.ok(call?.type === 'computer_call')
      assert.deepEqual(call.actions, [{ type: 'screenshot' }, { type: 'click', button: 'left', x: 1, y: 2 }])
      const next = await openai.responses.create({
        model: backend.model,
        previous_response_id: first.id,
        tools,
        input: [
          {
            type: 'computer_call_output',
            call_id: call.call_id,
            output: { type: 'computer_screenshot', image_url: PNG },
          },
        ],
      })
      assert.equal(next.status, 'completed')
      assert.ok(next.output_text.length > 0)
      const screenshotOf = async (include: OpenAI.Responses.ResponseIncludable[]) => {
        const { data } = await openai.responses.inputItems.list(next.id, { include })
        const output = data.find(({ type }) => type === 'computer_call_output')
        assert.ok(output?.type === 'computer_call_output')
        return output.output
      }
      assert.deepEqual(await screenshotOf([]), { type: 'computer_screenshot' }, 'its bytes come with the include alone')
      const include = await screenshotOf(['computer_call_output.output.image_url'])
      assert.deepEqual(include, { type: 'computer_screenshot', image_url: PNG })
    })

    test(`a call without its output, and an output without its call, are refused on ${backend.name}`, async () => {
      const call = { type: 'shell_call', call_id: 'call_1', action: { commands: ['ls'] } }
      const output = { type: 'shell_call_output', call_id: 'call_1', output: [] }
      const refused = async (input: unknown[]) => {
        const { status, json } = await send(server, 'POST', '/v1/responses', { model: backend.model, input })
        assert.equal(status, 400)
        return String((json.error as { message?: string }).message)
      }
      assert.match(await refused([call]), /No tool output found for shell call call_1/)
      assert.match(await refused([output]), /No tool call found for shell call output with call_id call_1/)
      const other = { type: 'apply_patch_call_output', call_id: 'call_1', status: 'completed' }
      assert.match(await refused([call, other]), /No tool call found for apply patch call output/)
      const checked = {
        type: 'computer_call',
        call_id: 'call_2',
        actions: [{ type: 'wait' }],
        pending_safety_checks: [{ id: 'sc_1' }],
      }
      const seen = {
        type: 'computer_call_output',
        call_id: 'call_2',
        output: { type: 'computer_screenshot', image_url: PNG },
      }
      assert.match(await refused([checked, seen]), /The safety check sc_1 of call call_2 is not acknowledged/)
    })
  })
}

const item = (fields: object, output_index = 0) => [
  { type: 'response.output_item.added', output_index, item: { ...fields, status: 'in_progress' } },
  { type: 'response.output_item.done', output_index, item: { ...fields, status: 'completed' } },
]
const wireOf = (...items: readonly object[]) => {
  const events = [
    ...items.flatMap((fields, index) => item(fields, index)),
    { type: 'response.completed', response: { id: 'resp_up', object: 'response', status: 'completed', output: items } },
  ]
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
const TEXT = { id: 'msg_up', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] }

describe('tools of the client where the provider has them', () => {
  let provider: ChatUpstream
  let server: TestServer
  let openai: OpenAI
  let replies: string[] = []
  before(async () => {
    provider = await startResponsesUpstream({
      script: () => ({ wire: replies.shift() ?? wireOf(TEXT) }),
      extraFields: [],
    })
    server = await startServer({
      checked: true,
      providers: [
        `native: { api_base: "${provider.url}", api_key: k, wire_api: responses, quirks: { client_tools: true } }`,
        `blind: { api_base: "${provider.url}", api_key: k, wire_api: responses }`,
      ],
      config:
        'models:\n  - { model_name: blind, deployments: [{ model: blind/m }], model_info: { supports: [tools] } }\n',
    })
    openai = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server?.close()
    await provider?.close()
  })
  beforeEach(() => {
    replies = []
  })
  const sent = () => provider.requests.at(-1)?.body as { tools: unknown[]; input: unknown[]; tool_choice?: unknown }
  const create = (body: object): Promise<Response> =>
    openai.responses.create({ model: 'native/m', input: 'Go.', ...body, stream: false } as never)

  const CALLS = {
    shell: {
      type: 'shell_call',
      call_id: 'call_1',
      action: { commands: ['ls'], timeout_ms: null, max_output_length: 99 },
    },
    local_shell: {
      type: 'local_shell_call',
      call_id: 'call_1',
      action: { type: 'exec', command: ['ls'], env: { A: 'b' } },
    },
    apply_patch: { type: 'apply_patch_call', call_id: 'call_1', operation: { type: 'delete_file', path: 'a' } },
    computer: {
      type: 'computer_call',
      call_id: 'call_1',
      actions: [{ type: 'double_click', x: 1, y: 2, keys: null }],
      pending_safety_checks: [{ id: 'sc_1', code: 'x', message: 'y' }],
    },
  } as const
  const OUTPUTS = {
    shell: { type: 'shell_call_output', max_output_length: 99, output: [] },
    local_shell: { type: 'local_shell_call_output', output: '{}' },
    apply_patch: { type: 'apply_patch_call_output', status: 'completed' },
    computer: {
      type: 'computer_call_output',
      output: { type: 'computer_screenshot', image_url: PNG },
      acknowledged_safety_checks: [{ id: 'sc_1' }],
    },
  } as const
  for (const name of ['shell', 'local_shell', 'apply_patch', 'computer'] as const) {
    test(`${name} passes through, there and back`, async () => {
      const spec = name === 'shell' ? SHELL : { type: name }
      const call = CALLS[name]
      replies = [wireOf({ id: 'up_1', ...call })]
      const first = await create({ tools: [spec] })
      assert.deepEqual(sent().tools, [spec])
      const [given] = first.output
      assert.ok(given)
      const { id, ...shown } = given as unknown as Record<string, unknown>
      const environment = name === 'shell' ? { environment: { type: 'local' } } : {}
      assert.deepEqual(shown, { ...call, status: 'completed', ...environment })
      assert.notEqual(id, 'up_1')
      await create({ tools: [spec], previous_response_id: first.id, input: [{ ...OUTPUTS[name], call_id: 'call_1' }] })
      assert.deepEqual(sent().input.slice(1), [
        shown,
        {
          status: 'completed',
          ...OUTPUTS[name],
          call_id: 'call_1',
          ...(name === 'local_shell' ? { id: 'call_1' } : {}),
        },
      ])
    })
  }

  test('a choice names the tool by its type', async () => {
    replies = [wireOf({ id: 'up_1', ...CALLS.shell })]
    await create({ tools: [SHELL, { type: 'apply_patch' }], tool_choice: { type: 'shell' } })
    assert.deepEqual(sent().tool_choice, { type: 'shell' })
  })

  test('a broken patch of the provider is told to it and never shown', async () => {
    const broken = { ...CALLS.apply_patch, operation: { type: 'update_file', path: 'a', diff: 'nonsense' } }
    replies = [wireOf({ id: 'up_1', ...broken }), wireOf({ id: 'up_2', ...CALLS.apply_patch })]
    const response = await create({ tools: [{ type: 'apply_patch' }] })
    assert.equal(response.output.length, 1)
    assert.match(JSON.stringify(sent().input.at(-1)), /begins with none of/)
  })

  test('a computer is refused by name where the model sees nothing (req 151)', async () => {
    const { status, json } = await send(server, 'POST', '/v1/responses', {
      model: 'blind',
      input: 'Go.',
      tools: [{ type: 'computer' }],
    })
    assert.equal(status, 400)
    assert.match(JSON.stringify(json.error), /cannot see images, so it cannot use a computer/)
  })
})
