/** The OpenAI Agents SDK, unmodified but for base URL and key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  Agent,
  applyDiff,
  applyPatchTool,
  type Computer,
  computerTool,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  setTracingDisabled,
  shellTool,
  tool,
} from '@openai/agents'
import OpenAI from 'openai'
import { z } from 'zod'
import { BACKENDS, startServer, type TestServer } from '../support/server.ts'

setTracingDisabled(true)

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

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

    test(`an agent runs commands in a shell of its own on ${backend.name} (req 152)`, async () => {
      const ran: string[] = []
      const shell = shellTool({
        shell: {
          run: async ({ commands }) => {
            ran.push(...commands)
            return { output: [{ stdout: 'total 17', stderr: '', outcome: { type: 'exit', exitCode: 0 } }] }
          },
        },
      })
      const agent = new Agent({ name: 'Shell', instructions: 'Use the shell.', model: backend.model, tools: [shell] })
      const result = await runner.run(agent, 'call shell with {"commands":["ls -l"]}')
      assert.deepEqual(ran, ['ls -l'])
      assert.match(String(result.finalOutput), /total 17/)
    })

    test(`an agent patches a file on ${backend.name} (req 153)`, async () => {
      let file = 'a\nb\n'
      const never = async () => assert.fail('no other operation was asked for')
      const patch = applyPatchTool({
        editor: {
          createFile: never,
          deleteFile: never,
          updateFile: async ({ diff }) => {
            file = applyDiff(file, diff)
            return { status: 'completed', output: 'Patched 17 lines.' }
          },
        },
      })
      const agent = new Agent({ name: 'Patch', instructions: 'Patch.', model: backend.model, tools: [patch] })
      const operation = JSON.stringify({ type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+c\n' })
      const result = await runner.run(agent, `call apply_patch with ${operation}`, { stream: true })
      await result.completed
      assert.equal(file, 'c\nb\n')
      assert.match(String(result.finalOutput), /Patched 17/)
    })

    test(`an agent uses a computer on ${backend.name} (req 151)`, async () => {
      const done: string[] = []
      const note = (what: string) => () => void done.push(what)
      const screen: Computer = {
        environment: 'browser',
        dimensions: [1024, 768],
        screenshot: () => PIXEL,
        click: (x, y, button) => void done.push(`click ${button} ${x} ${y}`),
        doubleClick: note('double click'),
        scroll: note('scroll'),
        type: note('type'),
        wait: note('wait'),
        move: note('move'),
        keypress: note('keypress'),
        drag: note('drag'),
      }
      const tools = [computerTool({ computer: screen })]
      const agent = new Agent({ name: 'Computer', instructions: 'Click.', model: backend.model, tools })
      const click = '{"type":"click","button":"left","x":3,"y":4}'
      const result = await runner.run(agent, `call computer with {"actions":[${click}]}`)
      assert.deepEqual(done, ['click left 3 4'])
      assert.ok(String(result.finalOutput).length > 0)
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
