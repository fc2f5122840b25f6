/** Programs that call tools, on every model: a real server, a real sandbox, the official SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import type { Response, ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import type { ScriptedReply } from '../fakes/chat-script.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { type FakeMcp, fakeTool, startFakeMcp, textResult } from '../fakes/mcp-server.ts'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

type Tools = NonNullable<OpenAI.Responses.ResponseCreateParams['tools']>
type Body = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>

const PROGRAMS = { type: 'programmatic_tool_calling' } as const
const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
  allowed_callers: ['programmatic'],
} as const

describe('programs that call tools', { skip: NO_SANDBOX }, () => {
  let upstream: ChatUpstream
  let mcp: FakeMcp
  let server: TestServer
  let client: OpenAI
  let replies: ScriptedReply[] = []
  before(async () => {
    upstream = await startChatUpstream({ script: () => replies.shift() })
    const inputSchema = { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } }
    mcp = await startFakeMcp([fakeTool('add', { inputSchema })])
    mcp.answers = {
      'tools/call': ({ params }) => {
        const { a, b } = params.arguments as { a: number; b: number }
        return textResult(JSON.stringify({ sum: a + b }))
      },
    }
    server = await startServer({
      checked: true,
      upstream,
      config: `limits: { code_time: 3s, code_memory: 256MB }\nsecurity: { allow_private_hosts: ["${mcp.host}"] }\n`,
    })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(async () => {
    await server?.close()
    await mcp?.close()
    await upstream?.close()
  })

  /** The model writes these programs, one in each turn, and then says something. */
  const writes = (...codes: readonly string[]) => {
    replies = codes.map((code): ScriptedReply => {
      const call = { kind: 'function' as const, name: 'programmatic_tool_calling', input: JSON.stringify({ code }) }
      return { answer: { text: '', calls: [call] } }
    })
    replies.push({ answer: { text: 'That is all.' } })
  }
  const ask = (body: Body) =>
    client.responses.create({
      model: UPSTREAM_MODEL,
      input: 'Go on.',
      tools: [PROGRAMS, WEATHER] as unknown as Tools,
      ...body,
    })
  const sums = (more: object = {}) =>
    ({
      type: 'mcp',
      server_label: 'sums',
      server_url: mcp.url,
      require_approval: 'never',
      allowed_callers: ['programmatic'],
      ...more,
    }) as unknown as Tools[number]
  const typesOf = ({ output }: Response) => output.map(({ type }) => String(type))
  const find = <T extends string>({ output }: Response, type: T) => {
    const found = (output as unknown as Record<string, unknown>[]).filter((item) => item.type === type)
    assert.ok(found.length > 0, `no ${type} in ${JSON.stringify(output)}`)
    return found
  }
  const resultOf = (response: Response) => {
    const [output] = find(response, 'program_output')
    return { result: String(output?.result), status: output?.status }
  }
  const answers = (response: Response, give: (input: Record<string, unknown>) => string): ResponseInputItem[] =>
    find(response, 'function_call').map((call) => ({
      type: 'function_call_output',
      call_id: String(call.call_id),
      output: give(JSON.parse(String(call.arguments))),
    }))

  test('a program calls what only programs may call, the client answers, and the program goes on (req 154)', async () => {
    writes(`const cities = ['Oslo', 'Rome']
const found = await Promise.all(cities.map((city) => tools.get_weather({ city })))
text(found.map(({ degrees }) => degrees).join(' and '))`)
    const first = await ask({})
    assert.deepEqual(typesOf(first), ['program', 'function_call', 'function_call'])
    assert.equal(first.status, 'completed')
    const [program] = find(first, 'program')
    for (const call of find(first, 'function_call')) {
      assert.deepEqual(call.caller, { type: 'program', caller_id: program?.call_id })
      assert.equal(call.status, 'completed')
    }
    const offered = JSON.stringify(upstream.requests.at(-1)?.body)
    assert.match(offered, /tools\.get_weather\(input\): The weather in a city\./)
    assert.doesNotMatch(offered, /"name":"get_weather"/, 'the model itself may not call it')

    const input = answers(first, ({ city }) => JSON.stringify({ degrees: String(city).length }))
    const second = await ask({ previous_response_id: first.id, input })
    assert.deepEqual(typesOf(second), ['program_output', 'message'])
    assert.deepEqual(resultOf(second), { result: '4 and 4', status: 'completed' })
    const [output] = find(second, 'program_output')
    assert.equal(output?.call_id, program?.call_id)
    const told = JSON.stringify(upstream.requests.at(-1)?.body)
    assert.match(told, /4 and 4/)
    assert.doesNotMatch(told, /degrees\\*"\s*:/, 'what it called is not shown to the model')
  })

  test('without a store the client sends the items back, and more than one step is replayed (req 154)', async () => {
    writes(`const first = await tools.get_weather({ city: 'a' })
const second = await tools.get_weather({ city: first.next })
const third = await tools.get_weather({ city: second.next })
return [first.next, second.next, third.next, Math.random(), Date.now()]`)
    const tools = [PROGRAMS, WEATHER] as unknown as Tools
    let context: ResponseInputItem[] = [{ role: 'user', content: 'Go on.' }]
    const asked: string[] = []
    let response = await ask({ store: false, input: context, tools })
    for (let step = 0; step < 3; step += 1) {
      const given = answers(response, ({ city }) => {
        asked.push(String(city))
        return JSON.stringify({ next: `${city}${step}` })
      })
      context = [...context, ...(response.output as unknown as ResponseInputItem[]), ...given]
      response = await ask({ store: false, input: context, tools })
    }
    assert.deepEqual(asked, ['a', 'a0', 'a01'])
    assert.deepEqual(typesOf(response), ['program_output', 'message'])
    const values: unknown[] = JSON.parse(resultOf(response).result)
    assert.deepEqual(values.slice(0, 3), ['a0', 'a01', 'a012'])
    // Asked for its answer once more, the program runs once more, and is the same.
    replies = [{ answer: { text: 'Again.' } }]
    const again = await ask({ store: false, input: context, tools })
    assert.deepEqual(JSON.parse(resultOf(again).result), values)

    const changed = context.map((item) => ('code' in item ? { ...item, code: `${item.code} ` } : item))
    await assert.rejects(ask({ store: false, input: changed as ResponseInputItem[], tools }), (error) => {
      assert.ok(error instanceof OpenAI.APIError)
      assert.deepEqual([error.status, error.code], [400, 'invalid_fingerprint'])
      return true
    })
    await assert.rejects(
      ask({ store: false, input: context, tools: [{ ...WEATHER, allowed_callers: null }] as unknown as Tools }),
      /Name the tool/,
    )
  })

  test('the events of a program and of its calls come in order', async () => {
    writes(`text((await tools.sums.add({ a: 1, b: 2 })).sum)
await tools.get_weather({ city: 'Oslo' })`)
    const stream = await client.responses.create({
      model: UPSTREAM_MODEL,
      input: 'Go on.',
      stream: true,
      tools: [PROGRAMS, WEATHER, sums()] as unknown as Tools,
    })
    const events: ResponseStreamEvent[] = []
    for await (const event of stream) events.push(event)
    const folded = events.reduce<ResponseObject | null>((snapshot, event) => {
      return applyEvent(snapshot, event as unknown as ResponseEvent)
    }, null)
    assert.equal(folded?.status, 'completed')
    assert.deepEqual(
      events.map(({ sequence_number }) => sequence_number),
      events.map((_, index) => index),
    )
    const told = events.map((event) => ('item' in event ? `${event.type} ${event.item.type}` : event.type))
    assert.deepEqual(
      told.map((type) => type.replace('response.', '')),
      [
        'created',
        'in_progress',
        'output_item.added mcp_list_tools',
        'mcp_list_tools.in_progress',
        'mcp_list_tools.completed',
        'output_item.done mcp_list_tools',
        'output_item.added program',
        'output_item.done program',
        'output_item.added mcp_call',
        'mcp_call.in_progress',
        'mcp_call_arguments.delta',
        'mcp_call_arguments.done',
        'mcp_call.completed',
        'output_item.done mcp_call',
        'output_item.added function_call',
        'function_call_arguments.delta',
        'function_call_arguments.done',
        'output_item.done function_call',
        'completed',
      ],
    )
  })

  test('what ran here is not run again when the program goes on', async () => {
    writes(`const { sum } = await tools.sums.add({ a: 20, b: 22 })
const seen = await tools.get_weather({ city: String(sum) })
const more = await tools.sums.add({ a: sum, b: seen.degrees })
text(more.sum)`)
    const tools = [PROGRAMS, WEATHER, sums()] as unknown as Tools
    const before = mcp.calls.length
    const first = await ask({ tools })
    assert.equal(mcp.calls.length, before + 1)
    const [called] = find(first, 'mcp_call')
    assert.equal((called?.caller as { type?: string } | undefined)?.type, 'program')
    const second = await ask({ tools, previous_response_id: first.id, input: answers(first, () => '{"degrees":8}') })
    assert.equal(mcp.calls.length, before + 2)
    assert.equal(resultOf(second).result, '50')
  })

  test('a call that needs leave asks for it, and what came of it goes to the program (req 147)', async () => {
    const code = `try { text((await tools.sums.add({ a: 1, b: 1 })).sum) } catch (error) { text('not allowed: ' + error.message) }`
    const tools = [PROGRAMS, sums({ require_approval: 'always' })] as unknown as Tools
    for (const approve of [true, false]) {
      writes(code)
      const first = await ask({ tools })
      const [asked] = find(first, 'mcp_approval_request')
      const input = [
        { type: 'mcp_approval_response', approval_request_id: String(asked?.id), approve },
      ] as ResponseInputItem[]
      const second = await ask({ tools, previous_response_id: first.id, input })
      if (approve) assert.equal(resultOf(second).result, '2')
      else assert.match(resultOf(second).result, /^not allowed: The user did not allow/)
    }
  })

  test('the calls of programs count for max_tool_calls, and the program ends where there are no more (req 155)', async () => {
    writes(`for (let n = 0; n < 10; n += 1) { await tools.sums.add({ a: n, b: 1 }); text(n) }`)
    const tools = [PROGRAMS, sums()] as unknown as Tools
    const response = await ask({ tools, max_tool_calls: 3 })
    assert.equal(find(response, 'mcp_call').length, 2)
    assert.equal(resultOf(response).status, 'incomplete')
    assert.match(resultOf(response).result, /limit of tool calls/)
  })

  test('a program that fails, loops or floods ends by itself, and the model is told (req 157)', async () => {
    const ends = async (code: string) => {
      writes(code)
      return resultOf(await ask({}))
    }
    const thrown = await ends(`text('so far')\nthrow new TypeError('oh no')`)
    assert.equal(thrown.status, 'incomplete')
    assert.match(thrown.result, /^so far\n\[The program did not come to its end: TypeError: oh no\n.*program\.js:2:7/)
    assert.match((await ends('for (;;);')).result, /longer than 3 s/)
    assert.match(
      (await ends('const a = []; for (;;) a.push(new Array(10_000).fill(a.length))')).result,
      /more memory than 256 MB|longer than 3 s/,
    )
    assert.match((await ends('await new Promise(() => {})')).result, /waits for something that never comes/)
    assert.match((await ends('let x = ;')).result, /SyntaxError.*\n.*program\.js:1/)
    const flooded = await ends(`for (;;) { text('x'.repeat(100_000)); if (Math.random() < 0.02) break }`)
    assert.ok(flooded.result.length < 1_100_000)
    assert.deepEqual(
      await ends(`text(typeof process, typeof require, typeof console, typeof fetch, typeof setTimeout)`),
      {
        result: Array.from({ length: 5 }, () => 'undefined').join('\n'),
        status: 'completed',
      },
    )
  })

  test('arguments that hold no program are the model’s to repair', async () => {
    const call = { kind: 'function' as const, name: 'programmatic_tool_calling', input: '{"code":' }
    writes('return 7')
    replies.unshift({ answer: { text: '', calls: [call] } })
    const response = await ask({})
    assert.deepEqual(typesOf(response), ['program', 'program_output', 'message'])
    assert.equal(resultOf(response).result, '7')
  })

  test('a tool for programs alone needs the tool to write them; nobody else may call it', async () => {
    await assert.rejects(ask({ tools: [WEATHER] as unknown as Tools }), /'tools' has no 'programmatic_tool_calling'/)
    writes('return typeof tools.get_weather')
    const direct = { ...WEATHER, allowed_callers: ['direct'] }
    assert.equal(resultOf(await ask({ tools: [PROGRAMS, direct] as unknown as Tools })).result, 'undefined')
  })

  test('tool_choice may name it, and the reply echoes it', async () => {
    writes('return 1')
    const response = await ask({ tool_choice: PROGRAMS as never })
    assert.deepEqual(response.tool_choice, PROGRAMS)
    assert.deepEqual(response.tools[0], PROGRAMS)
    await assert.rejects(ask({ tools: [], tool_choice: PROGRAMS as never }), /tool_choice/)
  })

  test('stored items are listed as they were, and conversations go on from them', async () => {
    writes(`text(await tools.get_weather({ city: 'Oslo' }))`)
    const conversation = await client.conversations.create()
    const first = await ask({ conversation: conversation.id })
    const second = await ask({ conversation: conversation.id, input: answers(first, () => 'sunny') })
    assert.equal(resultOf(second).result, 'sunny')
    const listed = await client.conversations.items.list(conversation.id, { order: 'asc' })
    assert.deepEqual(
      listed.data.map(({ type }) => String(type)),
      ['message', 'program', 'function_call', 'function_call_output', 'program_output', 'message'],
    )
    assert.deepEqual((listed.data[1] as { fingerprint?: string }).fingerprint, find(first, 'program')[0]?.fingerprint)
    assert.deepEqual((await client.responses.retrieve(second.id)).output, second.output)
  })

  test('Python and a shell in containers are called by programs, and not run again when these go on', async () => {
    writes(`const { logs } = await tools.code_interpreter({ code: 'open("n", "a").write("x"); print(6 * 7)' })
const [said] = await tools.shell({ commands: ['cat n'] })
const seen = await tools.get_weather({ city: logs.trim() })
const [more] = await tools.shell({ commands: ['wc -c < n'] })
text(logs.trim(), said.stdout, seen, more.stdout.trim(), more.outcome)`)
    const tools = [
      PROGRAMS,
      WEATHER,
      { type: 'code_interpreter', container: { type: 'auto' }, allowed_callers: ['programmatic'] },
      { type: 'shell', environment: { type: 'container_auto' }, allowed_callers: ['programmatic'] },
    ] as unknown as Tools
    const first = await ask({ tools })
    const ran = ['code_interpreter_call', 'shell_call', 'shell_call_output']
    assert.deepEqual(typesOf(first), ['program', ...ran, 'function_call'])
    for (const type of ran) assert.deepEqual(find(first, type)[0]?.caller, find(first, 'function_call')[0]?.caller)
    const second = await ask({ tools, previous_response_id: first.id, input: answers(first, () => 'sunny') })
    assert.deepEqual(typesOf(second), ['shell_call', 'shell_call_output', 'program_output', 'message'])
    assert.equal(resultOf(second).result, '42\nx\nsunny\n1\n{"type":"exit","exit_code":0}')
    const told = JSON.stringify(upstream.requests.at(-1)?.body)
    assert.equal(told.match(/"role":"tool"/g)?.length, 1, 'the model is told of the program alone')
  })

  test('they run in the background, and a cancelled one is not taken up again', async () => {
    writes(`text((await tools.sums.add({ a: 40, b: 2 })).sum)`)
    const tools = [PROGRAMS, sums()] as unknown as Tools
    const ended = async (id: string) => {
      for (let tries = 0; tries < 200; tries += 1) {
        const response = await client.responses.retrieve(id)
        if (response.status !== 'queued' && response.status !== 'in_progress') return response
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error('it did not end')
    }
    const done = await ended((await ask({ tools, background: true })).id)
    assert.deepEqual([done.status, resultOf(done).result], ['completed', '42'])

    writes('for (;;);')
    const requests = upstream.requests.length
    const started = await ask({ tools, background: true })
    while (upstream.requests.length === requests) await new Promise((resolve) => setTimeout(resolve, 20))
    await new Promise((resolve) => setTimeout(resolve, 500))
    await client.responses.cancel(started.id)
    const cancelled = await ended(started.id)
    assert.deepEqual([cancelled.status, typesOf(cancelled).at(-1)], ['cancelled', 'program'])
    replies = [{ answer: { text: 'I see.' } }]
    const next = await ask({ tools, previous_response_id: started.id, input: 'And now?' })
    assert.deepEqual(typesOf(next), ['message'])
    assert.match(JSON.stringify(upstream.requests.at(-1)?.body), /cut off before it came to its end/)
  })

  test('the demo model writes programs too, so that they can be tried without a key', async () => {
    const model = 'demo'
    const first = await ask({ model, input: 'Use a program to get the weather in Paris and in Tokyo.' })
    assert.deepEqual(typesOf(first), ['program', 'function_call', 'function_call'])
    const input = answers(first, ({ city }) => JSON.stringify({ [String(city)]: 'sunny' }))
    const second = await ask({ model, previous_response_id: first.id, input })
    assert.match(resultOf(second).result, /Paris[\s\S]*Tokyo/)
    assert.match(second.output_text, /Paris[\s\S]*Tokyo/)
    const run = await ask({ model, input: 'Run this program: return 6 * 7' })
    assert.equal(resultOf(run).result, '42')
    assert.match(run.output_text, /42/)
  })
})

test('a server whose programs are switched off refuses the tool by name, or leaves it out where it may', async () => {
  const off = 'tools: { programmatic_tool_calling: { sandbox: "off" } }\n'
  for (const policy of ['error', 'warn']) {
    await using server = await startServerUsing(`${off}defaults: { unsupported_params: ${policy} }\n`)
    const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    const asked = client.responses.create({ model: 'demo', input: 'hi', tools: [PROGRAMS] as unknown as Tools })
    if (policy === 'warn') assert.deepEqual((await asked).tools, [])
    else await assert.rejects(asked, /tools\[0\]\.type.*'tools\.programmatic_tool_calling\.sandbox'/)
  }
})

async function startServerUsing(config: string) {
  const server = await startServer({ config })
  return { ...server, [Symbol.asyncDispose]: () => server.close() }
}
