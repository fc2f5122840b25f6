/** The OpenAI Agents SDK, unmodified but for base URL and key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Agent, OpenAIConversationsSession, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents'
import OpenAI from 'openai'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

setTracingDisabled(true)

for (const backend of BACKENDS) {
  describe(`@openai/agents on ${backend.name}`, () => {
    let server: TestServer
    let runner: Runner
    before(async () => {
      server = await startServer({ checked: true })
      const modelProvider = new OpenAIProvider({ baseURL: server.baseUrl, apiKey: server.apiKey, useResponses: true })
      runner = new Runner({ modelProvider, tracingDisabled: true })
    })
    after(() => server.close())

    test(`an agent answers with text on ${backend.name} (req 199)`, async () => {
      const agent = new Agent({ name: 'Plain', instructions: 'Be brief.', model: backend.model })
      const result = await runner.run(agent, 'Say hello.')
      assert.ok(String(result.finalOutput).length > 0)
    })

    test(`an agent streams its answer on ${backend.name}`, async () => {
      const agent = new Agent({ name: 'Plain', instructions: 'Be brief.', model: backend.model })
      const result = await runner.run(agent, 'Say hello.', { stream: true })
      let text = ''
      for await (const piece of result.toTextStream()) text += piece
      await result.completed
      assert.equal(text, String(result.finalOutput))
    })

    test(`an agent calls a tool and uses what it returned on ${backend.name}`, async () => {
      let asked = ''
      const weather = tool({
        name: 'get_weather',
        description: 'The weather in a city',
        parameters: z.object({ city: z.string() }),
        execute: async ({ city }) => {
          asked = city
          return '17 degrees and foggy'
        },
      })
      const agent = new Agent({
        name: 'Weather',
        instructions: 'Use the tool.',
        model: backend.model,
        tools: [weather],
      })
      const result = await runner.run(agent, 'call get_weather with {"city":"Paris"}')
      assert.equal(asked, 'Paris')
      assert.match(String(result.finalOutput), /17 degrees/)
    })

    test(`an agent remembers through a session that is a conversation on ${backend.name} (req 57, 58)`, async () => {
      const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
      const session = new OpenAIConversationsSession({ client })
      const agent = new Agent({ name: 'Plain', instructions: 'Be brief.', model: backend.model })
      await runner.run(agent, 'My name is Ada.', { session })
      const result = await runner.run(agent, 'What is my name?', { session })
      assert.equal((await session.getItems()).length, 4)
      assert.match(JSON.stringify(result.history), /Ada/)
      const last = await session.popItem()
      assert.ok(last && 'role' in last && last.role === 'assistant')
      assert.equal((await session.getItems(2)).length, 2)
      await session.clearSession()
      assert.equal(session.sessionId, undefined)
    })

    test(`an agent goes on in a conversation by its id on ${backend.name} (req 54, 55)`, async () => {
      const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey })
      const { id: conversationId } = await client.conversations.create()
      const agent = new Agent({ name: 'Plain', instructions: 'Be brief.', model: backend.model })
      await runner.run(agent, 'My name is Ada.', { conversationId })
      await runner.run(agent, 'What is my name?', { conversationId })
      const { data } = await client.conversations.items.list(conversationId, { order: 'asc' })
      assert.equal(data.filter((item) => item.type === 'message').length, 4)
    })

    test(`an agent returns structured output on ${backend.name}`, async () => {
      const outputType = z.object({ name: z.string(), age: z.number().int() })
      const agent = new Agent({ name: 'Shape', instructions: 'Fill it in.', model: backend.model, outputType })
      const result = await runner.run(agent, 'Describe Ada, who is 36.')
      assert.ok(outputType.safeParse(result.finalOutput).success)
    })
  })
}
