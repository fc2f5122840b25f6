/** Every method that the official SDK has for this API is called by a test, against a real socket. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'

const FOLDER = new URL('./', import.meta.url)
const client = new OpenAI({ apiKey: 'none' })

/** Resources by the way to them. */
const RESOURCES = {
  responses: client.responses,
  'responses.inputItems': client.responses.inputItems,
  'responses.inputTokens': client.responses.inputTokens,
  conversations: client.conversations,
  'conversations.items': client.conversations.items,
  models: client.models,
  containers: client.containers,
  'containers.files': client.containers.files,
  'containers.files.content': client.containers.files.content,
  webhooks: client.webhooks,
  'webhooks.eventTypes': client.webhooks.eventTypes,
  files: client.files,
  uploads: client.uploads,
  'uploads.parts': client.uploads.parts,
  vectorStores: client.vectorStores,
  'vectorStores.files': client.vectorStores.files,
  'vectorStores.fileBatches': client.vectorStores.fileBatches,
} as const

/** Of the SDK, but of no use against this server, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'models.delete': 'deletes models that were fine-tuned',
  'webhooks.verifySignature': 'asks no server; `webhooks.unwrap` calls it',
}

const sources = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.test.ts') && !import.meta.url.endsWith(name))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'))
  .join('\n')

const methodsOf = (resource: object): string[] =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter((name) => name !== 'constructor')

for (const [path, resource] of Object.entries(RESOURCES)) {
  test(`every method of the SDK's ${path} is called by a test (req 105)`, () => {
    const methods = methodsOf(resource)
    assert.ok(methods.length > 0)
    const uncalled = methods
      .map((method) => `${path}.${method}`)
      .filter((call) => !(call in ELSEWHERE) && !sources.includes(`${call}(`))
    assert.deepEqual(uncalled, [])
  })
}

test("the SDK's socket is opened, sent to, read as a stream and as events, and closed by tests (req 109)", () => {
  assert.equal(typeof ResponsesWS, 'function')
  for (const use of ['new ResponsesWS(', 'socket.send(', 'of socket)', "socket.on('error'", 'socket.close()']) {
    assert.ok(sources.includes(use), use)
  }
})
