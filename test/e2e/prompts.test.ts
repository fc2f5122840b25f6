/** Prompt templates through the whole server: made, versioned, filled, echoed, refused. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { assertSdkResponse } from '../oracle/sdk-oracle.ts'
import { send } from '../support/http.ts'
import { API_KEY, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startServer()
})
after(() => server.close())

type Body = Readonly<Record<string, unknown>>
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

const post = (path: string, body: unknown) => send(server, 'POST', path, body)
const create = (body: Body) => post('/v1/responses', body)
async function make(template: Body): Promise<string> {
  const { status, json, text } = await post('/v1/prompts', template)
  assert.equal(status, 200, text)
  return String(json.id)
}
const errorOf = (json: Body) => json.error as { param: string; code: string; message: string }

test('a prompt is made, read, changed by a new version, rolled back, listed and deleted', async () => {
  const made = await post('/v1/prompts', { name: 'greeting', model: 'demo', instructions: 'Greet {{who}}.' })
  assert.equal(made.status, 200)
  const id = String(made.json.id)
  assert.match(id, /^pmpt_[0-9a-f]{48}$/)
  assert.deepEqual(
    { ...made.json, created_at: 0 },
    {
      id,
      object: 'prompt',
      created_at: 0,
      name: 'greeting',
      version: '1',
      default_version: '1',
      latest_version: '1',
      model: 'demo',
      instructions: 'Greet {{who}}.',
      input: null,
      tools: null,
      tool_choice: null,
      parallel_tool_calls: null,
      text: null,
      reasoning: null,
      temperature: null,
      top_p: null,
      max_output_tokens: null,
      truncation: null,
      variables: { who: { type: 'string' } },
    },
  )
  const second = await post(`/v1/prompts/${id}`, { instructions: 'Greet {{who}} twice.' })
  assert.deepEqual(
    [second.json.version, second.json.default_version, second.json.name, second.json.model],
    ['2', '2', 'greeting', null],
  )
  const first = await send(server, 'GET', `/v1/prompts/${id}/versions/1`)
  assert.deepEqual([first.json.instructions, first.json.default_version], ['Greet {{who}}.', '2'])
  const back = await post(`/v1/prompts/${id}`, { default_version: '1' })
  assert.deepEqual([back.json.version, back.json.latest_version], ['1', '2'])
  assert.deepEqual((await send(server, 'GET', `/v1/prompts/${id}`)).json, back.json)
  const list = await send(server, 'GET', '/v1/prompts?limit=1')
  assert.deepEqual([list.json.object, list.json.first_id, list.json.last_id], ['list', id, id])
  const gone = await send(server, 'DELETE', `/v1/prompts/${id}`)
  assert.deepEqual(gone.json, { id, object: 'prompt.deleted', deleted: true })
  for (const path of [id, `${id}/versions/1`])
    assert.equal((await send(server, 'GET', `/v1/prompts/${path}`)).status, 404)
  assert.equal((await send(server, 'DELETE', `/v1/prompts/${id}`)).status, 404)
})

test('the SDK asks with a prompt: model, instructions and input come from it, and it is echoed (req 39)', async () => {
  const id = await make({
    model: 'demo',
    instructions: 'The code word is {{word}}.',
    input: [{ role: 'user', content: 'My name is {{ name }}.' }],
    temperature: 0.2,
    variables: { name: { type: 'string', default: 'Ada' } },
  })
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: API_KEY, maxRetries: 0 })
  const answer = await client.responses.create({
    prompt: { id, variables: { word: { type: 'input_text', text: 'heron' } } },
    input: 'What is my name?',
  })
  assertSdkResponse(answer)
  assert.match(answer.output_text, /Ada/)
  assert.equal(answer.instructions, 'The code word is heron.')
  assert.equal(answer.temperature, 0.2)
  assert.deepEqual(answer.prompt, {
    id,
    version: '1',
    variables: { word: { type: 'input_text', text: 'heron' } },
  })
  const stored = await client.responses.retrieve(answer.id)
  assert.deepEqual(stored.prompt, answer.prompt)
  const items = await client.responses.inputItems.list(answer.id, { order: 'asc' })
  assert.equal(items.data.length, 2)
  const code = await client.responses.create({
    prompt: { id, variables: { word: 'heron', name: 'Bo' } },
    input: 'What is the code word?',
  })
  assert.match(code.output_text, /heron/)
})

test('a prompt alone is a whole request; what the request says itself wins (req 39)', async () => {
  const id = await make({
    model: 'no-such-model',
    input: 'Say {{word}}',
    instructions: 'Be kind.',
    max_output_tokens: 50,
  })
  const whole = { prompt: { id, variables: { word: 'PELICAN' } } }
  const unknown = await create(whole)
  assert.equal(errorOf(unknown.json).code, 'model_not_found')
  const { json } = await create({ ...whole, model: 'demo', instructions: 'Be brief.', temperature: null })
  assert.match(String(json.output_text), /PELICAN/)
  assert.deepEqual([json.instructions, json.max_output_tokens, json.model], ['Be brief.', 50, 'demo'])
  const empty = await make({ instructions: 'Be kind.' })
  const missing = await create({ model: 'demo', prompt: { id: empty } })
  assert.deepEqual([missing.status, errorOf(missing.json).param], [400, 'input'])
})

test('image and file variables take the place of whole parts (req 39)', async () => {
  const id = await make({
    model: 'upstream/gpt-test',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is in {{what}}?' },
          { type: 'input_text', text: '{{photo}}' },
          { type: 'input_text', text: '{{paper}}' },
        ],
      },
    ],
    variables: { photo: { type: 'image', description: 'What is looked at' }, paper: { type: 'file' } },
  })
  const photo = { type: 'input_image', image_url: PIXEL }
  const paper = { type: 'input_file', filename: 'a.txt', file_data: `data:text/plain;base64,${btoa('Hi')}` }
  const { status, json, text } = await create({
    model: 'demo',
    prompt: { id, variables: { what: 'this', photo, paper } },
  })
  assert.equal(status, 200, text)
  assertSdkResponse(json)
  const items = await send(server, 'GET', `/v1/responses/${json.id}/input_items?include=message.input_image.image_url`)
  const [message] = items.json.data as { content: unknown[] }[]
  assert.deepEqual(message?.content, [
    { type: 'input_text', text: 'What is in this?' },
    { ...photo, detail: 'auto' },
    paper,
  ])
})

test('an unknown prompt or version is 404, a wrong set of variables 400 that names the variable (req 39)', async () => {
  const id = await make({
    model: 'demo',
    input: '{{greeting}}, {{photo_of}}',
    variables: { photo_of: { type: 'string' } },
  })
  const none = `pmpt_${'0'.repeat(48)}`
  for (const prompt of [
    { id: none },
    { id, version: '2' },
    { id, version: 'one' },
    { id, version: '01' },
    { id: '' },
  ]) {
    const { status, json } = await create({ prompt })
    assert.deepEqual([status, errorOf(json).param], [404, 'prompt'], JSON.stringify(prompt))
  }
  const wrong: readonly (readonly [Body | undefined, string, string])[] = [
    [undefined, 'prompt.variables.photo_of', 'missing_required_parameter'],
    [{ photo_of: 'x' }, 'prompt.variables.greeting', 'missing_required_parameter'],
    [{ greeting: 'Hi' }, 'prompt.variables.photo_of', 'missing_required_parameter'],
    [{ greeting: 'Hi', photo_of: 'x', other: 'y' }, 'prompt.variables.other', 'unknown_parameter'],
    [{ greeting: 'Hi', photo_of: 'x', constructor: 'y' }, 'prompt.variables.constructor', 'unknown_parameter'],
    [
      { greeting: 'Hi', photo_of: { type: 'input_image', image_url: PIXEL } },
      'prompt.variables.photo_of',
      'invalid_type',
    ],
    [
      { greeting: 'Hi', photo_of: { type: 'input_image' } },
      'prompt.variables.photo_of.image_url',
      'missing_required_parameter',
    ],
  ]
  for (const [variables, param, code] of wrong) {
    const { status, json } = await create({ prompt: { id, ...(variables && { variables }) } })
    assert.deepEqual([status, errorOf(json).param, errorOf(json).code], [400, param, code])
  }
})

test('values are put in once: a value with braces stays what it is (req 39)', async () => {
  const id = await make({ model: 'demo', input: 'Repeat exactly: {{a}} {{b}}' })
  const { json } = await create({ prompt: { id, variables: { a: '{{b}}', b: '$& $1' } } })
  assert.equal(json.output_text, '{{b}} $& $1')
})

test('a template that could never be used is refused when it is made', async () => {
  const user = (content: unknown) => ({ input: [{ role: 'user', content }] })
  const wrong: readonly (readonly [Body, string | null])[] = [
    [{}, null],
    [{ name: 'empty' }, null],
    [{ instructions: 'x', color: 'red' }, 'color'],
    [{ instructions: 'x', variables: { who: { type: 'string' } } }, 'variables.who'],
    [{ instructions: '{{photo}}', variables: { photo: { type: 'image' } } }, 'instructions'],
    [{ ...user('See {{photo}}'), variables: { photo: { type: 'image' } } }, 'input[0].content'],
    [{ ...user('{{photo}}'), variables: { photo: { type: 'image', default: 'x' } } }, 'variables.photo.default'],
    [{ ...user('{{photo}}'), variables: { photo: { type: 'video' } } }, 'variables.photo.type'],
    [user([{ type: 'input_image' }]), 'input[0].content[0].image_url'],
    [{ input: [{ type: 'compaction_trigger' }] }, 'input[0]'],
    [{ instructions: 'x', temperature: 3 }, 'temperature'],
    [{ instructions: 'a\u0000b' }, 'instructions'],
    [{ instructions: 'x'.repeat(1024 * 1024) }, null],
    [{ instructions: Array.from({ length: 101 }, (_, at) => `{{v${at}}}`).join('') }, 'variables'],
  ]
  for (const [template, param] of wrong) {
    const { status, json } = await post('/v1/prompts', template)
    assert.deepEqual([status, errorOf(json).param], [400, param], JSON.stringify(template).slice(0, 100))
  }
  const id = await make({ instructions: 'x' })
  for (const [body, param] of [
    [{ default_version: '1', instructions: 'y' }, 'instructions'],
    [{ default_version: 1 }, 'default_version'],
  ] as const) {
    const { status, json } = await post(`/v1/prompts/${id}`, body)
    assert.deepEqual([status, errorOf(json).param], [400, param])
  }
  assert.equal((await post(`/v1/prompts/${id}`, { default_version: '2' })).status, 404)
})
