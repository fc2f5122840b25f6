/** The Vercel AI SDK with its OpenAI provider, which speaks the Responses API by default. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createOpenAI, type OpenAIProvider } from '@ai-sdk/openai'
import { generateText, Output, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

for (const backend of BACKENDS) {
  describe(`AI SDK on ${backend.name}`, () => {
    let server: TestServer
    let openai: OpenAIProvider
    before(async () => {
      server = await startServer({ checked: true })
      openai = createOpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
    })
    after(() => server.close())

    test(`generateText answers on ${backend.name} (req 199)`, async () => {
      const result = await generateText({ model: openai(backend.model), prompt: 'Say hello.' })
      assert.ok(result.text.length > 0)
      assert.equal(result.finishReason, 'stop')
      assert.ok((result.usage.outputTokens ?? 0) > 0)
    })

    test(`streamText streams the same text it ends with on ${backend.name}`, async () => {
      const result = streamText({ model: openai(backend.model), prompt: 'Say hello.' })
      let text = ''
      for await (const piece of result.textStream) text += piece
      assert.equal(text, await result.text)
      assert.ok(text.length > 0)
    })

    test(`a multi-step tool loop finds its stored items again by reference on ${backend.name} (req 63)`, async () => {
      const result = await generateText({
        model: openai(backend.model),
        prompt: 'call get_weather with {"city":"Paris"}',
        stopWhen: stepCountIs(3),
        tools: {
          get_weather: tool({
            description: 'The weather in a city',
            inputSchema: z.object({ city: z.string() }),
            execute: async ({ city }) => `17 degrees and foggy in ${city}`,
          }),
        },
      })
      assert.equal(result.steps.length, 2)
      assert.match(result.text, /17 degrees/)
    })

    test(`structured output validates on ${backend.name}`, async () => {
      const schema = z.object({ name: z.string(), age: z.number().int() })
      const result = await generateText({
        model: openai(backend.model),
        prompt: 'Describe Ada, who is 36.',
        output: Output.object({ schema }),
      })
      assert.ok(schema.safeParse(result.output).success)
    })
  })
}
