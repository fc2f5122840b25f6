import assert from 'node:assert/strict'
import test from 'node:test'
import { accept, FUNCTION, refusal, refuse, user, WARN } from '../../test/support/request-bodies.ts'
import { LATER_ITEM_TYPES } from './items.ts'
import { validateCountInputTokens } from './validate.ts'

test('a valid body is handed on as the same object, without warnings', () => {
  const body = { model: 'm', input: 'hi' }
  const { request, warnings } = accept(body)
  assert.equal(request, body)
  assert.deepEqual(warnings, [])
})

test('messages need no type, and take text or parts in every role (req 2, 3, 6)', () => {
  for (const role of ['user', 'assistant', 'system', 'developer']) {
    accept({ model: 'm', input: [{ role, content: 'hi' }] })
    accept({ model: 'm', input: [{ role, content: [{ type: 'input_text', text: 'hi' }] }] })
    accept({ model: 'm', input: [{ type: 'message', id: 'msg_1', status: 'completed', role, content: 'hi' }] })
  }
})

test('assistant history may be bare output_text (req 5)', () => {
  accept({ model: 'm', input: [{ role: 'assistant', content: [{ type: 'output_text', text: 'hi' }] }] })
  const part = { type: 'output_text', text: 'hi', annotations: [], logprobs: [] }
  accept({ model: 'm', input: [{ role: 'assistant', phase: 'final_answer', content: [part] }] })
})

test('null stands for every optional field that is not given (req 22)', () => {
  const { request } = accept({
    model: 'm',
    input: [{ type: 'reasoning', id: null, summary: [], content: null, encrypted_content: null, status: null }],
    ...Object.fromEntries(
      [
        'background, client_metadata, context_management, conversation, frequency_penalty, include, instructions',
        'max_output_tokens, max_tool_calls, metadata, moderation, parallel_tool_calls, presence_penalty, prompt',
        'previous_response_id, prompt_cache_key, prompt_cache_options, prompt_cache_retention, reasoning, stop',
        'safety_identifier, service_tier, store, stream, stream_options, temperature, text, tool_choice, tools',
        'top_logprobs, top_p, truncation, user, response_format',
      ]
        .join(', ')
        .split(', ')
        .map((name) => [name, null]),
    ),
  })
  assert.equal(request.temperature, null)
})

test('empty optionals and unknown fields inside items are taken (req 22)', () => {
  const { warnings } = accept({
    model: 'm',
    input: [{ role: 'user', content: 'hi', internal_chat_message_metadata_passthrough: { a: 1 } }],
    text: {},
    include: [],
    tools: [],
    tool_choice: 'auto',
    client_metadata: { a: 1 },
  })
  assert.deepEqual(warnings, [])
})

test('output items come back as input with the fields that only output has (req 76)', () => {
  accept({
    model: 'm',
    input: [
      { type: 'reasoning', id: 'rs_1', status: 'completed', summary: [], created_by: 'someone' },
      { type: 'function_call', id: 'fc_1', status: 'completed', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'done', status: 'completed', created_by: 'x' },
    ],
  })
})

test('a tool output is text or parts, with images and files (req 129)', () => {
  const output = (value: unknown) => ({
    model: 'm',
    input: [{ type: 'function_call_output', call_id: 'call_1', output: value }],
  })
  accept(output(''))
  accept(
    output([
      { type: 'input_text', text: 'a' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA' },
    ]),
  )
  accept(output([{ type: 'input_file', file_data: 'AA==', filename: 'a.pdf' }]))
  refuse(output([{ type: 'input_image' }]), {
    param: 'input[0].output[0].image_url',
    code: 'missing_required_parameter',
  })
  refuse(output(4), {
    param: 'input[0].output',
    code: 'invalid_type',
    message: /expected one of a string or array of objects/,
  })
})

test('the wrong JSON type is refused with the documented text and a path (req 14)', () => {
  refuse(
    { model: 'm', input: 'hi', metadata: { tags: ['a'] } },
    {
      param: 'metadata.tags',
      code: 'invalid_type',
      message: "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
    },
  )
  refuse(
    { model: 'm', input: 42 },
    {
      param: 'input',
      code: 'invalid_type',
      message: "Invalid type for 'input': expected one of a string or array of objects, but got an integer instead.",
    },
  )
  refuse(
    { model: 'm', input: 'a', temperature: 'hot' },
    { param: 'temperature', code: 'invalid_type', message: /a decimal/ },
  )
  refuse({ model: 'm', input: 'a', max_output_tokens: 1.5 }, { param: 'max_output_tokens', code: 'invalid_type' })
  refuse(
    { model: 'm', input: 'a', include: 'x' },
    { param: 'include', code: 'invalid_type', message: /an array of strings/ },
  )
  refuse(user(null), { param: 'input[0].content', code: 'invalid_type', message: /but got null instead/ })
  refuse(user([{ type: 'input_text', text: 1 }]), { param: 'input[0].content[0].text', code: 'invalid_type' })
  refuse([], { param: null, code: 'invalid_type' })
})

test('a value outside its set is refused with the set (req 15)', () => {
  refuse(
    { model: 'm', input: 'hi', truncation: 'maybe' },
    {
      param: 'truncation',
      code: 'invalid_value',
      message: "Invalid value: 'maybe'. Supported values are: 'auto' and 'disabled'.",
    },
  )
  refuse({ model: 'm', input: 'a', include: ['x'] }, { param: 'include[0]', code: 'invalid_value', message: /, and '/ })
  refuse(
    { model: 'm', input: [{ role: 'robot', content: 'a' }] },
    {
      param: 'input[0].role',
      code: 'invalid_value',
      message: "Invalid value: 'robot'. Supported values are: 'user', 'assistant', 'system', and 'developer'.",
    },
  )
  refuse(user([{ type: 'input_audio' }]), { param: 'input[0].content[0].type', code: 'invalid_value' })
  refuse({ model: 'm', input: 'a', tool_choice: 'maybe' }, { param: 'tool_choice', code: 'invalid_value' })
})

test('sampling parameters outside their range are refused (req 16)', () => {
  refuse(
    { model: 'm', input: 'a', temperature: 2.1 },
    {
      param: 'temperature',
      code: 'decimal_above_max_value',
      message: "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.1 instead.",
    },
  )
  refuse({ model: 'm', input: 'a', temperature: -1 }, { param: 'temperature', code: 'decimal_below_min_value' })
  refuse({ model: 'm', input: 'a', top_p: 1.01 }, { param: 'top_p', code: 'decimal_above_max_value' })
})

test('top_logprobs is a whole number from 0 to 20 (req 17)', () => {
  accept({ model: 'm', input: 'a', top_logprobs: 20 })
  refuse({ model: 'm', input: 'a', top_logprobs: 21 }, { param: 'top_logprobs', code: 'integer_above_max_value' })
  refuse({ model: 'm', input: 'a', top_logprobs: -1 }, { param: 'top_logprobs', code: 'integer_below_min_value' })
})

test('an id alone is a reference, but a broken message with an id is not (req 6)', () => {
  accept({ model: 'm', input: [{ id: 'msg_1' }, { type: 'item_reference', id: 'msg_1' }, { type: null, id: 'a' }] })
  refuse(
    { model: 'm', input: [{ id: 'msg_1', role: 'user', content: 5 }] },
    { param: 'input[0].content', code: 'invalid_type' },
  )
  refuse(
    { model: 'm', input: [{ id: 'msg_1', role: 'user' }] },
    {
      param: 'input[0].content',
      code: 'missing_required_parameter',
    },
  )
  refuse({ model: 'm', input: [{}] }, { param: 'input[0].type', code: 'missing_required_parameter' })
})

test('item types that exist elsewhere, extensions and inventions are told apart', () => {
  const item = (type: unknown) => ({ model: 'm', input: [{ type }] })
  for (const type of LATER_ITEM_TYPES) {
    refuse(item(type), {
      param: 'input[0].type',
      code: 'unsupported_value',
      message: /does not carry item types of this kind yet/,
    })
  }
  refuse(item('acme:thing'), { param: 'input[0].type', code: 'unsupported_value', message: /no extension/ })
  refuse(item('thing'), {
    param: 'input[0].type',
    code: 'invalid_value',
    message: /^Invalid value: 'thing'\. Supported values are: 'message'/,
  })
  refuse(item(5), { param: 'input[0].type', code: 'invalid_type' })
})

test('tool types that exist elsewhere, extensions and inventions are told apart', () => {
  const tool = (type: string) => ({ model: 'm', input: 'a', tools: [FUNCTION, { type }] })
  refuse(tool('acme:search'), { param: 'tools[1].type', code: 'unsupported_value', message: /no extension/ })
  refuse(tool('nothing'), {
    param: 'tools[1].type',
    code: 'invalid_value',
    message:
      "Invalid value: 'nothing'. Supported values are: 'function', 'custom', 'namespace', 'web_search', 'web_search_2025_08_26', 'web_search_preview', 'web_search_preview_2025_03_11', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'computer', 'computer_use_preview', 'local_shell', 'apply_patch', 'shell', 'tool_search', and 'programmatic_tool_calling'.",
  })
})

test('a tool_choice that names a tool nobody runs is refused by name', () => {
  const choice = (value: unknown) => ({ model: 'm', input: 'a', tools: [FUNCTION], tool_choice: value })
  accept(choice({ type: 'web_search_preview' }))
  accept(choice({ type: 'function', name: 'f' }))
  accept(choice({ type: 'allowed_tools', tools: [{ type: 'function', name: 'f' }] }))
  accept(choice({ type: 'computer_use' }))
  accept(choice({ type: 'apply_patch' }))
  accept(choice({ type: 'programmatic_tool_calling' }))
  refuse(choice({ type: 'nothing' }), { param: 'tool_choice.type', code: 'invalid_value' })
  refuse(choice(7), { param: 'tool_choice', code: 'invalid_type', message: /one of a string or object/ })
  refuse(choice({ type: 'allowed_tools', tools: [] }), { param: 'tool_choice.tools', code: 'empty_array' })
})

test('functions need neither strict nor parameters (req 119)', () => {
  accept({
    model: 'm',
    input: 'a',
    tools: [
      { type: 'function', name: 'f' },
      { type: 'function', name: 'g', strict: null },
    ],
  })
  refuse(
    { model: 'm', input: 'a', tools: [{ type: 'function', function: { name: 'f' } }] },
    {
      param: 'tools[0].name',
      code: 'missing_required_parameter',
      message: "Missing required parameter: 'tools[0].name'.",
    },
  )
})

test('function names are short and plain (req 121)', () => {
  const named = (name: string) => ({ model: 'm', input: 'a', tools: [{ type: 'function', name }] })
  accept(named('a-b_C9'))
  refuse(named('a b'), {
    param: 'tools[0].name',
    code: 'invalid_value',
    message: /matches the pattern '\^\[a-zA-Z0-9_-\]\+\$'/,
  })
  refuse(named(''), { param: 'tools[0].name', code: 'string_below_min_length' })
  refuse(named('x'.repeat(129)), { param: 'tools[0].name', code: 'string_above_max_length' })
})

test('tools that items add are checked like those of the request (req 133)', () => {
  const added = (tool: unknown) => ({
    model: 'm',
    input: [{ type: 'additional_tools', role: 'developer', tools: [tool] }],
  })
  accept(added({ type: 'custom', name: 'exec', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } }))
  accept(added({ type: 'programmatic_tool_calling' }))
})

test('a search of the client finds functions; one of a server may have found a server (req 132)', () => {
  const found = (execution: string, tool: unknown) => ({
    model: 'm',
    input: [{ type: 'tool_search_output', execution, tools: [tool] }],
  })
  accept(found('client', FUNCTION))
  accept(found('server', { type: 'mcp', server_label: 'docs' }))
  refuse(found('client', { type: 'mcp', server_label: 'docs' }), {
    param: 'input[0].tools[0].type',
    code: 'unsupported_value',
    message: /Name a tool of type 'mcp' under 'tools'/,
  })
})

test('every spelling of the cache retention is taken (req 29)', () => {
  for (const prompt_cache_retention of ['in-memory', 'in_memory', '24h']) {
    accept({ model: 'm', input: 'a', prompt_cache_retention })
  }
  refuse(
    { model: 'm', input: 'a', prompt_cache_retention: '1h' },
    { param: 'prompt_cache_retention', code: 'invalid_value' },
  )
})

test('a safety identifier has at most 64 characters (req 30)', () => {
  accept({ model: 'm', input: 'a', safety_identifier: 'x'.repeat(64), user: 'u' })
  refuse(
    { model: 'm', input: 'a', safety_identifier: 'x'.repeat(65) },
    {
      param: 'safety_identifier',
      code: 'string_above_max_length',
    },
  )
})

test('lengths are counted in characters, not in UTF-16 units', () => {
  accept({ model: 'm', input: 'a', safety_identifier: '😀'.repeat(64) })
  refuse(
    { model: 'm', input: 'a', safety_identifier: '😀'.repeat(65) },
    {
      param: 'safety_identifier',
      code: 'string_above_max_length',
      message: /maximum length 64, but got a string with length 65/,
    },
  )
})

test('a count of tokens needs no field at all and takes a personality (req 40)', () => {
  assert.deepEqual(validateCountInputTokens({}, WARN).warnings, [])
  validateCountInputTokens({ model: 'm', input: 'a', personality: 'friendly', tools: [FUNCTION] }, WARN)
  const error = refusal(() => validateCountInputTokens({ personality: 'x'.repeat(65) }, WARN))
  assert.equal(error.code, 'string_above_max_length')
  assert.equal(validateCountInputTokens({ temperature: 1 }, WARN).warnings.length, 1)
  validateCountInputTokens({ model: 'm', conversation: 'conv_1' }, WARN)
})

test('a count of tokens hands on no field that it does not know, whatever it holds', () => {
  const { request } = validateCountInputTokens({ input: 'a', include: 7, metadata: 'x', stop: {} }, WARN)
  assert.deepEqual(request, { input: 'a' })
})
