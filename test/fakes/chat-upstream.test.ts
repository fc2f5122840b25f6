import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import OpenAI from 'openai'
import { CHAT_SHAPES } from './chat-shapes.ts'
import { type ChatUpstream, startChatUpstream, waitUntil } from './chat-upstream.ts'
import { instanceOf } from './json-instance.ts'

const tool = (name: string, properties: Record<string, unknown> = {}) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties } },
})
const user = (content: unknown) => [{ role: 'user', content }]
const called = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }

type Called = { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }
type Choice = {
  readonly message: {
    readonly content: string
    refusal: string
    reasoning_content: string
    tool_calls: readonly [Called, ...Called[]]
  }
  readonly finish_reason: string
  readonly logprobs: { readonly content: readonly { readonly bytes: number[]; readonly top_logprobs: unknown[] }[] }
}
/** The parts of replies these tests look at; each is asserted on, so a wrong shape fails. */
type Reply = {
  readonly choices: readonly [Choice]
  readonly usage: {
    prompt_tokens: number
    completion_tokens: number
    total_tokens: number
    prompt_tokens_details: { cached_tokens: number }
  }
  readonly error: { readonly message: string; readonly type: string }
  readonly data: readonly { readonly id: string }[]
}
const jsonOf = async (response: Response) => (await response.json()) as Reply

describe('chat upstream', () => {
  let upstream: ChatUpstream
  before(async () => {
    upstream = await startChatUpstream()
  })
  after(() => upstream.close())

  const post = (body: unknown) =>
    fetch(`${upstream.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    })
  const ask = async (body: Record<string, unknown>) => {
    const response = await post({ model: 'm', ...body })
    const json = await jsonOf(response)
    assert.equal(response.status, 200, JSON.stringify(json))
    return json
  }
  const openai = () => new OpenAI({ apiKey: 'x', baseURL: upstream.url, maxRetries: 0 })

  const REFUSED: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['no model', { model: undefined, messages: user('a') }, /model/],
    ['no messages', { messages: [] }, /empty array/],
    ['an unknown role', { messages: [{ role: 'bot', content: 'a' }] }, /Invalid value: 'bot'/],
    ['null content of a user', { messages: user(null) }, /expected a string, got null/],
    ['an assistant with nothing', { messages: [{ role: 'assistant', content: null }, ...user('a')] }, /got null/],
    ['empty tools', { messages: user('a'), tools: [] }, /'tools': empty array/],
    ['a choice without tools', { messages: user('a'), tool_choice: 'auto' }, /only allowed when 'tools'/],
    ['parallel calls without tools', { messages: user('a'), parallel_tool_calls: true }, /only allowed when 'tools'/],
    [
      'a chosen tool that is not there',
      { messages: user('a'), tools: [tool('f')], tool_choice: { type: 'function', function: { name: 'g' } } },
      /'g' not found/,
    ],
    [
      'a tool message without a call',
      { messages: [...user('a'), { role: 'tool', tool_call_id: 'x', content: '' }] },
      /must be a response to a preceeding/,
    ],
    [
      'a call without its tool message',
      { messages: [...user('a'), { role: 'assistant', content: null, tool_calls: [called] }, ...user('b')] },
      /did not have response messages: call_1/,
    ],
    [
      'a call unanswered at the end',
      { messages: [...user('a'), { role: 'assistant', content: null, tool_calls: [called] }] },
      /did not have response/,
    ],
    ['a part of a wrong type', { messages: user([{ type: 'input_text', text: 'a' }]) }, /Invalid value: 'input_text'/],
    [
      'an image in a system message',
      { messages: [{ role: 'system', content: [{ type: 'image_url', image_url: { url: 'https://a' } }] }] },
      /Invalid value: 'image_url'/,
    ],
    ['a Responses tool', { messages: user('a'), tools: [{ type: 'function', name: 'f' }] }, /function.name/],
    ['an unknown field', { messages: user('a'), input: 'a' }, /Unrecognized request argument supplied: input/],
    ['a null field', { messages: user('a'), temperature: null }, /got null/],
    [
      'a bad response_format',
      { messages: user('a'), response_format: { type: 'json_schema', name: 'x' } },
      /json_schema.name/,
    ],
    ['top_logprobs alone', { messages: user('a'), top_logprobs: 2 }, /only allowed when 'logprobs'/],
    ['stream_options alone', { messages: user('a'), stream_options: {} }, /only allowed when 'stream'/],
  ]
  for (const [what, body, message] of REFUSED) {
    it(`refuses ${what} with a 400 in OpenAI's envelope`, async () => {
      const response = await post({ model: 'm', ...body })
      const { error } = await jsonOf(response)
      assert.equal(response.status, 400)
      assert.match(error.message, message)
      assert.equal(error.type, 'invalid_request_error')
    })
  }

  it('answers by its rules: text, state, schema, refusal, reasoning, limits, stops', async () => {
    const say = async (body: Record<string, unknown>) => (await ask(body)).choices[0]
    assert.equal((await say({ messages: user('hello') })).message.content, 'You said: hello')
    assert.equal((await say({ messages: user('say exactly: abc') })).message.content, 'abc')
    const history = [...user('my name is Ada'), { role: 'assistant', content: 'ok' }, ...user('what is my name?')]
    assert.equal((await say({ messages: history })).message.content, 'Your name is Ada.')
    assert.equal((await say({ messages: user('please refuse') })).message.refusal, 'I cannot help with that.')
    assert.ok((await say({ messages: user('think hard') })).message.reasoning_content)
    const limited = await say({ messages: user('count to 50'), max_tokens: 7 })
    assert.deepEqual([limited.message.content, limited.finish_reason], ['1 2 3 4 5 6 7', 'length'])
    assert.equal((await say({ messages: user('count to 9'), stop: [' 4'] })).message.content, '1 2 3')
    const schema = { type: 'object', properties: { city: { type: 'string' }, n: { type: 'integer', minimum: 5 } } }
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    assert.deepEqual(JSON.parse((await say({ messages: user('go'), response_format: format })).message.content), {
      city: 'example',
      n: 5,
    })
  })

  it('calls the tools it is told to, in one turn or step by step, and ends with their results', async () => {
    const tools = [tool('f', { a: { type: 'integer' } }), tool('g')]
    const one = await ask({ messages: user('call f with {"a":{"b":[1]}} and g'), tools })
    assert.deepEqual(
      one.choices[0].message.tool_calls.map((call) => call.function),
      [
        { name: 'f', arguments: '{"a":{"b":[1]}}' },
        { name: 'g', arguments: '{}' },
      ],
    )
    assert.equal(one.choices[0].finish_reason, 'tool_calls')
    const single = await ask({ messages: user('call f and g'), tools, parallel_tool_calls: false })
    assert.equal(single.choices[0].message.tool_calls.length, 1)
    const forced = await ask({ messages: user('hi'), tools, tool_choice: 'required' })
    assert.equal(forced.choices[0].message.tool_calls[0].function.arguments, '{"a":1}')
    assert.equal(
      (await ask({ messages: user('call f'), tools, tool_choice: 'none' })).choices[0].message.tool_calls,
      undefined,
    )
    const messages: unknown[] = user('call f, then call g')
    for (const name of ['f', 'g']) {
      const { message } = (await ask({ messages, tools })).choices[0]
      assert.equal(message.tool_calls[0].function.name, name)
      messages.push(message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: `${name} is done` })
    }
    assert.equal(
      (await ask({ messages, tools })).choices[0].message.content,
      'The tools answered: f is done | g is done',
    )
  })

  for (const shape of CHAT_SHAPES) {
    it(`streams the ${shape} shape, which OpenAI's own client understands`, async () => {
      const stream = openai().chat.completions.stream({
        model: 'm',
        messages: [{ role: 'user', content: `[[shape ${shape}]] say 🎉 it works` }],
        stream_options: { include_usage: true },
      })
      const completion = await stream.finalChatCompletion()
      assert.equal(completion.choices[0]?.message.content, '🎉 it works')
      assert.equal(completion.choices[0]?.finish_reason, 'stop')
    })
  }

  it('counts tokens, and those of a prompt it has seen the start of as cached', async () => {
    const messages = user(`say ok ${'word '.repeat(100)}`)
    const first = (await ask({ messages })).usage
    const { usage } = await ask({ messages: [...messages, { role: 'assistant', content: 'ok' }, ...user('say x')] })
    assert.ok(usage.prompt_tokens > first.prompt_tokens)
    assert.ok(usage.prompt_tokens_details.cached_tokens >= 96)
    assert.equal(usage.completion_tokens, 1)
    assert.equal(usage.total_tokens, usage.prompt_tokens + 1)
  })

  it('gives logprobs with bytes', async () => {
    const { choices } = await ask({ messages: user('say héy you'), logprobs: true, top_logprobs: 2 })
    assert.deepEqual(choices[0].logprobs.content[0]?.bytes, [...Buffer.from('héy')])
    assert.equal(choices[0].logprobs.content[1]?.top_logprobs.length, 2)
  })

  it('fails on request: a status once, a reset, a silent hang, garbage', async () => {
    const text = 'hi [[once status 503]] [[once retry-after 1]]'
    const failed = await post({ model: 'm', messages: user(text) })
    assert.deepEqual([failed.status, failed.headers.get('retry-after')], [503, '1'])
    assert.equal((await post({ model: 'm', messages: user(text) })).status, 200)
    const stream = (words: string) => post({ model: 'm', stream: true, messages: user(words) })
    await assert.rejects((await stream('hi [[cut 20]]')).text())
    assert.equal((await (await stream('hi [[end 20]]')).text()).length, 20)
    assert.match(await (await stream('hi [[garbage]]')).text(), /oops/)
    assert.match(await (await stream('hi [[stream-error]]')).text(), /"error"/)
    const controller = new AbortController()
    const hanging = fetch(`${upstream.url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: user('[[hang]]') }),
      signal: controller.signal,
    })
    const seen = upstream.requests.length
    await waitUntil(() => upstream.requests.length > seen)
    controller.abort()
    await assert.rejects(hanging)
    await waitUntil(() => upstream.requests.at(-1)?.closedEarly === true)
  })

  it('plays a script first, then its rules, and records every request', async () => {
    const scripted = await startChatUpstream({
      script: [{ status: 500 }, { answer: { text: 'scripted' } }],
      apiKey: 'k',
    })
    try {
      const send = (key: string) =>
        fetch(`${scripted.url}/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify({ model: 'm', messages: user('hi') }),
        })
      assert.equal((await send('k')).status, 500)
      assert.equal((await jsonOf(await send('k'))).choices[0].message.content, 'scripted')
      assert.equal((await jsonOf(await send('k'))).choices[0].message.content, 'You said: hi')
      assert.equal((await send('wrong')).status, 401)
      assert.equal(scripted.requests.length, 4)
      assert.equal(scripted.requests[3]?.refused?.status, 401)
    } finally {
      await scripted.close()
    }
    assert.equal(scripted.openSockets(), 0)
  })

  it('runs as a process of its own', async () => {
    const main = new URL('./chat-upstream-main.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [main], {
      env: { ...process.env, PORT: '0', MODELS: 'one,two' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const line = await new Promise<string>((resolve) => child.stdout.once('data', (data) => resolve(String(data))))
      const url = /listening (\S+)/.exec(line)?.[1]
      const { data } = await jsonOf(await fetch(`${url}/models`))
      assert.deepEqual(
        data.map(({ id }) => id),
        ['one', 'two'],
      )
    } finally {
      child.kill('SIGTERM')
      assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
    }
  })
})

describe('JSON Schema instance', () => {
  it('ends on recursive schemas and keeps bounds, enums, references and patterns', () => {
    const schema = {
      $defs: {
        node: {
          type: 'object',
          properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
          required: ['next'],
        },
      },
      type: 'object',
      properties: {
        node: { $ref: '#/$defs/node' },
        kind: { enum: ['x', 'y'] },
        code: { type: 'string', pattern: '^[A-Z]{3}$' },
        low: { type: 'number', minimum: 3, maximum: 4 },
        when: { type: 'string', format: 'date' },
        list: { type: 'array', minItems: 2, items: { type: ['null', 'boolean'] } },
      },
    }
    const value = instanceOf(schema)
    assert.match(JSON.stringify(value), /"kind":"x","code":"ABC","low":3,"when":"2025-01-02","list":\[true,true\]/)
  })
})
