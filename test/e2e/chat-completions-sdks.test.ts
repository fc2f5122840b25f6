/** The SDKs that speak chat completions, unmodified, over a socket: the official one, LangChain, and the AI SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createOpenAI, type OpenAIProvider } from '@ai-sdk/openai'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool as langchainTool } from '@langchain/core/tools'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, Output, stepCountIs, streamText, tool } from 'ai'
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer, UPSTREAM_MODEL } from '../support/server.ts'

const WEATHER_SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const WEATHER_TOOL = {
  type: 'function' as const,
  function: { name: 'get_weather', description: 'The weather in a city', parameters: WEATHER_SCHEMA },
}
const ASK_WEATHER = 'call get_weather with {"city":"Paris"}'
/** Everything a stream yields. */
async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of stream) all.push(one)
  return all
}

const Person = z.object({ name: z.string(), age: z.number().int() })

for (const backend of BACKENDS) {
  describe(`chat completions on ${backend.name}`, () => {
    let server: TestServer
    let client: OpenAI
    const { model } = backend
    before(async () => {
      server = await startServer()
      client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    })
    after(() => server.close())

    test(`create answers with text, usage and a reason on ${backend.name}`, async () => {
      const completion = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: 'Say hello.' }],
      })
      assert.match(completion.id, /^chatcmpl-/)
      assert.equal(completion.object, 'chat.completion')
      assert.equal(completion.model, model)
      const [choice] = completion.choices
      assert.ok(choice?.message.content)
      assert.equal(choice.finish_reason, 'stop')
      assert.equal(choice.message.refusal, null)
      const { usage } = completion
      assert.ok(usage && usage.prompt_tokens > 0 && usage.completion_tokens > 0)
      assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
      assert.equal(typeof usage.prompt_tokens_details?.cached_tokens, 'number')
      assert.equal(typeof usage.completion_tokens_details?.reasoning_tokens, 'number')
    })

    test(`a stream says what the whole completion says, then its usage on ${backend.name}`, async () => {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Say hello.' }]
      const whole = await client.chat.completions.create({ model, messages })
      const stream = await client.chat.completions.create({
        model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
      })
      const chunks = await collect(stream)
      const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
      assert.equal(text, whole.choices[0]?.message.content)
      assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
      assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1)
      assert.deepEqual(
        chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? []),
        ['stop'],
      )
      const last = chunks.at(-1)
      assert.deepEqual(last?.choices, [])
      assert.equal(last?.usage?.completion_tokens, whole.usage?.completion_tokens)
      assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null))
    })

    test(`the stream helper accumulates to the final completion on ${backend.name}`, async () => {
      const stream = client.chat.completions.stream({ model, messages: [{ role: 'user', content: 'Say hello.' }] })
      let text = ''
      stream.on('content', (delta) => {
        text += delta
      })
      const final = await stream.finalChatCompletion()
      assert.equal(final.choices[0]?.message.content, text)
      assert.ok(text.length > 0)
    })

    test(`parse fills a zod schema on ${backend.name}`, async () => {
      const completion = await client.chat.completions.parse({
        model,
        messages: [{ role: 'user', content: 'Describe Ada, who is 36.' }],
        response_format: zodResponseFormat(Person, 'person'),
      })
      assert.ok(Person.safeParse(completion.choices[0]?.message.parsed).success)
    })

    test(`a function call loop ends with an answer from the tool's output on ${backend.name}`, async () => {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: ASK_WEATHER }]
      const first = await client.chat.completions.create({ model, messages, tools: [WEATHER_TOOL] })
      const message = first.choices[0]?.message
      const call = message?.tool_calls?.[0]
      assert.ok(message && call?.type === 'function')
      assert.equal(first.choices[0]?.finish_reason, 'tool_calls')
      assert.equal(message.content, null)
      assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' })
      const second = await client.chat.completions.create({
        model,
        tools: [WEATHER_TOOL],
        messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: '17 degrees and foggy' }],
      })
      assert.match(second.choices[0]?.message.content ?? '', /17 degrees/)
    })

    test(`runTools runs the loop by itself, whole and streamed, on ${backend.name}`, async () => {
      for (const stream of [false, true]) {
        const asked: string[] = []
        const body = {
          model,
          messages: [{ role: 'user' as const, content: ASK_WEATHER }],
          tools: [
            {
              type: 'function' as const,
              function: {
                name: 'get_weather',
                description: 'The weather in a city',
                parameters: WEATHER_SCHEMA,
                parse: JSON.parse,
                function: ({ city }: { city: string }) => {
                  asked.push(city)
                  return `17 degrees and foggy in ${city}`
                },
              },
            },
          ],
        }
        const runner = stream
          ? client.chat.completions.runTools({ ...body, stream: true })
          : client.chat.completions.runTools(body)
        assert.match((await runner.finalContent()) ?? '', /17 degrees/)
        assert.deepEqual(asked, ['Paris'])
      }
    })

    test(`log probabilities come with the text when they are asked for on ${backend.name}`, async () => {
      const body = {
        model,
        messages: [{ role: 'user' as const, content: 'Say hello.' }],
        logprobs: true,
        top_logprobs: 2,
      }
      const whole = await client.chat.completions.create(body)
      const tokens = whole.choices[0]?.logprobs?.content ?? []
      assert.equal(tokens.map(({ token }) => token).join(''), whole.choices[0]?.message.content)
      assert.ok(tokens.every(({ top_logprobs }) => top_logprobs.length <= 2))
      const chunks = await collect(await client.chat.completions.create({ ...body, stream: true }))
      const streamed = chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.content ?? [])
      assert.deepEqual(streamed, tokens)
    })

    test(`a token limit ends the answer as length, by both names of the limit, on ${backend.name}`, async () => {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Write a long essay about rivers.' }]
      for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
        const completion = await client.chat.completions.create({ model, messages, ...limit })
        assert.equal(completion.choices[0]?.finish_reason, 'length')
        assert.ok((completion.usage?.completion_tokens ?? 99) <= 5)
      }
    })

    test(`errors are the SDK's own classes and name the field on ${backend.name}`, async () => {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
      const { completions } = client.chat
      await assert.rejects(completions.create({ model: 'no-such-model', messages }), (error) => {
        assert.ok(error instanceof BadRequestError)
        assert.equal(error.code, 'model_not_found')
        return true
      })
      await assert.rejects(completions.create({ model, messages, n: 2 }), { status: 400, param: 'n' })
      const stranger = new OpenAI({ baseURL: server.baseUrl, apiKey: 'sk-wrong', maxRetries: 0 })
      await assert.rejects(stranger.chat.completions.create({ model, messages }), AuthenticationError)
      await assert.rejects(client.completions.create({ model, prompt: 'Hi' }), (error) => {
        assert.ok(error instanceof NotFoundError)
        assert.match(error.message, /chat\/completions/)
        return true
      })
    })

    test(`LangChain's chat mode invokes, streams, calls tools and fills schemas on ${backend.name}`, async () => {
      const chat = new ChatOpenAI({
        model,
        apiKey: server.apiKey,
        useResponsesApi: false,
        maxRetries: 0,
        configuration: { baseURL: server.baseUrl },
      })
      assert.ok((await chat.invoke('Say hello.')).text.length > 0)
      let text = ''
      for await (const chunk of await chat.stream('Say hello.')) text += chunk.text
      assert.ok(text.length > 0)
      const weather = langchainTool(async ({ city }: { city: string }) => `17 degrees in ${city}`, {
        name: 'get_weather',
        description: 'The weather in a city',
        schema: z.object({ city: z.string() }),
      })
      const question = new HumanMessage(ASK_WEATHER)
      const first = await chat.bindTools([weather]).invoke([question])
      const [call] = first.tool_calls ?? []
      assert.ok(call?.id)
      const output = new ToolMessage({ content: '17 degrees and foggy', tool_call_id: call.id })
      assert.match((await chat.bindTools([weather]).invoke([question, first, output])).text, /17 degrees/)
      const filled = await chat.withStructuredOutput(Person).invoke('Describe Ada, who is 36.')
      assert.ok(Person.safeParse(filled).success)
    })

    test(`the AI SDK's chat model generates, streams, loops and fills schemas on ${backend.name}`, async () => {
      const openai: OpenAIProvider = createOpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
      const chat = openai.chat(model)
      const plain = await generateText({ model: chat, prompt: 'Say hello.' })
      assert.equal(plain.finishReason, 'stop')
      assert.ok((plain.usage.outputTokens ?? 0) > 0)
      const streamed = streamText({ model: chat, prompt: 'Say hello.' })
      let text = ''
      for await (const piece of streamed.textStream) text += piece
      assert.equal(text, plain.text)
      const looped = await generateText({
        model: chat,
        prompt: ASK_WEATHER,
        stopWhen: stepCountIs(3),
        tools: {
          get_weather: tool({
            description: 'The weather in a city',
            inputSchema: z.object({ city: z.string() }),
            execute: async ({ city }) => `17 degrees and foggy in ${city}`,
          }),
        },
      })
      assert.equal(looped.steps.length, 2)
      assert.match(looped.text, /17 degrees/)
      const filled = await generateText({
        model: chat,
        prompt: 'Describe Ada, who is 36.',
        output: Output.object({ schema: Person }),
      })
      assert.ok(Person.safeParse(filled.output).success)
    })
  })
}

test('a refused upstream call is an error of its status, in a stream too', async () => {
  const server = await startServer({ config: 'router: { num_retries: 0 }' })
  try {
    const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'Say hello. [[status 429]]' }]
    const body = { model: UPSTREAM_MODEL, messages }
    await assert.rejects(client.chat.completions.create(body), RateLimitError)
    await assert.rejects(client.chat.completions.create({ ...body, stream: true }), RateLimitError)
  } finally {
    await server.close()
  }
})
