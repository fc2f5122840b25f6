/** LangChain's ChatOpenAI on the Responses API. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI } from '@langchain/openai'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

for (const backend of BACKENDS) {
  describe(`LangChain on ${backend.name}`, () => {
    let server: TestServer
    let chat: ChatOpenAI
    before(async () => {
      server = await startServer({ checked: true })
      chat = new ChatOpenAI({
        model: backend.model,
        apiKey: server.apiKey,
        useResponsesApi: true,
        maxRetries: 0,
        configuration: { baseURL: server.baseUrl },
      })
    })
    after(() => server.close())

    test(`invoke answers on ${backend.name} (req 199)`, async () => {
      const message = await chat.invoke('Say hello.')
      assert.ok(message.text.length > 0)
    })

    test(`stream yields the text in pieces on ${backend.name}`, async () => {
      let text = ''
      for await (const chunk of await chat.stream('Say hello.')) text += chunk.text
      assert.ok(text.length > 0)
    })

    test(`a bound tool is called and its output used on ${backend.name}`, async () => {
      const weather = tool(async ({ city }: { city: string }) => `17 degrees and foggy in ${city}`, {
        name: 'get_weather',
        description: 'The weather in a city',
        schema: z.object({ city: z.string() }),
      })
      const bound = chat.bindTools([weather])
      const question = new HumanMessage('call get_weather with {"city":"Paris"}')
      const first = await bound.invoke([question])
      const [call] = first.tool_calls ?? []
      assert.ok(call?.id)
      assert.deepEqual(call.args, { city: 'Paris' })
      const output = new ToolMessage({ content: '17 degrees and foggy', tool_call_id: call.id })
      const second = await bound.invoke([question, first, output])
      assert.match(second.text, /17 degrees/)
    })

    test(`structured output validates on ${backend.name}`, async () => {
      const schema = z.object({ name: z.string(), age: z.number().int() })
      const result = await chat.withStructuredOutput(schema).invoke('Describe Ada, who is 36.')
      assert.ok(schema.safeParse(result).success)
    })
  })
}
