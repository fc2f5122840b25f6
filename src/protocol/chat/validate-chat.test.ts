import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../errors.ts'
import { toChatError } from './names.ts'
import { validateChatCompletion } from './validate-chat.ts'

const USER = { role: 'user', content: 'Hi' }
const CALL = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
const validate = (body: object, unknownParams: 'error' | 'warn' = 'warn') =>
  validateChatCompletion({ model: 'm', messages: [USER], ...body }, { unknownParams })
const requestOf = (body: object) => validate(body).request

function refusal(run: () => unknown): ApiError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ApiError)
    return error
  }
  throw new Error('nothing was refused')
}

test('a plain request is not stored and says nothing it was not asked to', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(requestOf({}))), {
    model: 'm',
    store: false,
    input: [{ type: 'message', role: 'user', content: 'Hi' }],
  })
})

test('every role becomes the item it stands for, in order', () => {
  const { input } = requestOf({
    messages: [
      { role: 'system', content: 'S' },
      { role: 'developer', content: [{ type: 'text', text: 'D' }] },
      USER,
      { role: 'assistant', reasoning_content: 'Why.', content: 'So.', tool_calls: [CALL] },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'out' }] },
      { role: 'assistant', content: null, refusal: 'No.' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'call_2', custom: { name: 'c', input: 'x' } }] },
      { role: 'tool', tool_call_id: 'call_2', content: 'done' },
    ],
  })
  assert.deepEqual(input, [
    { type: 'message', role: 'system', content: 'S' },
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'D' }] },
    { type: 'message', role: 'user', content: 'Hi' },
    { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Why.' }] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So.' }] },
    { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'out' }] },
    { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    { type: 'custom_tool_call', call_id: 'call_2', name: 'c', input: 'x' },
    { type: 'custom_tool_call_output', call_id: 'call_2', output: 'done' },
  ])
})

test('images and files keep their place and their detail', () => {
  const image_url = { url: 'https://example.com/a.png', detail: 'low' }
  const file = { filename: 'a.txt', file_data: 'data:text/plain;base64,QQ==' }
  const content = [
    { type: 'text', text: 'What?' },
    { type: 'image_url', image_url },
    { type: 'file', file },
  ]
  assert.deepEqual(requestOf({ messages: [{ role: 'user', content }] }).input, [
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'What?' },
        { type: 'input_image', image_url: image_url.url, detail: 'low' },
        { type: 'input_file', ...file },
      ],
    },
  ])
})

/** What is sent, the field of the create request it becomes, and the value there. */
const FIELDS: readonly (readonly [object, string, unknown])[] = [
  [{ max_tokens: 5 }, 'max_output_tokens', 5],
  [{ max_completion_tokens: 6, max_tokens: 5 }, 'max_output_tokens', 6],
  [{ stop: 'x' }, 'stop', ['x']],
  [{ store: true }, 'store', true],
  [{ reasoning_effort: 'low' }, 'reasoning', { effort: 'low' }],
  [{ verbosity: 'low' }, 'text', { verbosity: 'low' }],
  [{ response_format: { type: 'text' } }, 'text', { format: { type: 'text' } }],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' } } } },
    'text',
    { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: false } },
  ],
  [{ logprobs: true, top_logprobs: 3 }, 'include', ['message.output_text.logprobs']],
  [{ logprobs: true, top_logprobs: 3 }, 'top_logprobs', 3],
  [{ tool_choice: 'required' }, 'tool_choice', 'required'],
  [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice', { type: 'function', name: 'f' }],
  [
    {
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'custom', custom: { name: 'c' } }] },
      },
    },
    'tool_choice',
    { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'custom', name: 'c' }] },
  ],
  [
    { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
    'tools',
    [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }],
  ],
  [
    {
      tools: [
        {
          type: 'custom',
          custom: { name: 'c', format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'a' } } },
        },
      ],
    },
    'tools',
    [{ type: 'custom', name: 'c', format: { type: 'grammar', syntax: 'regex', definition: 'a' } }],
  ],
  [{ seed: 7, temperature: 0.5 }, 'temperature', 0.5],
  [{ stream: true, stream_options: { include_usage: true } }, 'stream', true],
]
for (const [body, field, expected] of FIELDS) {
  test(`${JSON.stringify(body)} becomes ${field}`, () => {
    assert.deepEqual(Object.entries(requestOf(body)).find(([name]) => name === field)?.[1], expected)
  })
}

/** What is sent, and the field that the refusal names. */
const REFUSALS: readonly (readonly [object, string])[] = [
  [{ messages: [] }, 'messages'],
  [{ messages: [{ role: 'king', content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
  [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, 'messages[0].content[0].type'],
  [{ messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] }, 'messages[0].content[0]'],
  [{ messages: [{ role: 'user', content: [{ type: 'refusal', refusal: 'x' }] }] }, 'messages[0].content[0].type'],
  [{ messages: [{ role: 'user', content: 'x', tool_calls: [CALL] }] }, 'messages[0].tool_calls'],
  [{ messages: [USER, { role: 'assistant', content: null }] }, 'messages[1].content'],
  [{ messages: [USER, { role: 'assistant', function_call: { name: 'f' } }] }, 'messages[1].function_call'],
  [{ messages: [USER, { role: 'function', name: 'f', content: 'x' }] }, 'messages[1].role'],
  [{ messages: [USER, { role: 'tool', content: 'x' }] }, 'messages[1].tool_call_id'],
  [{ messages: [USER, { role: 'tool', tool_call_id: 'nobody', content: 'x' }] }, 'messages[1].tool_call_id'],
  [
    { messages: [USER, { role: 'assistant', content: 'a', tool_calls: [{ ...CALL, id: 'x'.repeat(65) }] }] },
    'messages[1].tool_calls[0].id',
  ],
  [
    {
      messages: [
        USER,
        { role: 'assistant', tool_calls: [{ ...CALL, function: { name: 'x'.repeat(129), arguments: '' } }] },
      ],
    },
    'messages[1].tool_calls[0].function.name',
  ],
  [{ functions: [{ name: 'f' }] }, 'functions'],
  [{ function_call: 'auto' }, 'function_call'],
  [{ n: 2 }, 'n'],
  [{ modalities: ['text', 'audio'] }, 'modalities'],
  [{ audio: { voice: 'x', format: 'mp3' } }, 'audio'],
  [{ logit_bias: { 50256: -100 } }, 'logit_bias'],
  [{ top_logprobs: 2 }, 'top_logprobs'],
  [{ web_search_options: {} }, 'web_search_options'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ temperature: 3 }, 'temperature'],
  [{ tools: [{ type: 'function', function: { name: 'no spaces' } }] }, 'tools[0].function.name'],
  [{ tools: [{ type: 'custom', custom: { name: 'no spaces' } }] }, 'tools[0].custom.name'],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } },
    'response_format.json_schema.name',
  ],
]
for (const [body, param] of REFUSALS) {
  test(`${JSON.stringify(body).slice(0, 100)} is refused and names ${param}`, () => {
    const error = refusal(() => validate(body))
    assert.equal(error.status, 400)
    assert.equal(error.param, param)
    assert.doesNotMatch(error.message, /'(input['[]|text\.format)/)
  })
}

test('what is not carried is reported, and refused where the operator wants that', () => {
  const body = { seed: 1, system: 'x', nonsense: 1, max_tokens: 5, max_completion_tokens: 5 }
  assert.deepEqual(validate({ ...body, messages: [{ ...USER, name: 'ada' }] }).warnings, [
    "system is unknown and was ignored; use 'messages'",
    'nonsense is unknown and was ignored',
    'seed is not carried and was ignored',
    'messages[].name is not carried and was ignored',
    'max_tokens was ignored, because max_completion_tokens is given',
  ])
  assert.equal(refusal(() => validate({ nonsense: 1 }, 'error')).param, 'nonsense')
  assert.equal(refusal(() => validate({ seed: 1 }, 'error')).param, 'seed')
  assert.deepEqual(validate({ n: 1, logit_bias: {}, modalities: ['text'], functions: null }).warnings, [])
})

test('an error of a later step is told in the words of the request', () => {
  const { rename } = validate({ messages: [USER, { role: 'assistant', content: 'a' }, USER] })
  const told = (param: string, message: string) => {
    const error = toChatError(new ApiError({ status: 400, param, message }), rename)
    assert.ok(error instanceof ApiError)
    return [error.param, error.message]
  }
  assert.deepEqual(told('input[2].content', "Bad 'input[2].content'."), [
    'messages[2].content',
    "Bad 'messages[2].content'.",
  ])
  assert.deepEqual(told('max_output_tokens', "Unsupported parameter: 'max_output_tokens'."), [
    'max_completion_tokens',
    "Unsupported parameter: 'max_completion_tokens'.",
  ])
  assert.deepEqual(told('text.format.schema', "Use 'text.format' of type x."), [
    'response_format.json_schema.schema',
    "Use 'response_format' of type x.",
  ])
  const bug = new TypeError('a fault of ours')
  assert.equal(toChatError(bug, rename), bug)
})
