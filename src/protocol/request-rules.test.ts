import assert from 'node:assert/strict'
import test from 'node:test'
import { accept, FUNCTION, refusal, refuse, user, WARN } from '../../test/support/request-bodies.ts'
import { validateCreateResponse } from './validate.ts'

test('metadata holds 16 pairs of at most 64 and 512 characters (req 18)', () => {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
  const given = (metadata: unknown) => ({ model: 'm', input: 'a', metadata })
  accept(given(pairs(16)))
  accept(given({ ['k'.repeat(64)]: 'v'.repeat(512) }))
  accept(given(JSON.parse('{"__proto__":"a","constructor":"b"}')))
  refuse(given(pairs(17)), {
    param: 'metadata',
    code: 'object_above_max_properties',
    message: /at most 16 .* 17 properties/,
  })
  refuse(given({ ['k'.repeat(65)]: 'v' }), { param: 'metadata', code: 'property_name_above_max_length' })
  refuse(given({ k: 'v'.repeat(513) }), { param: 'metadata.k', code: 'string_above_max_length' })
  refuse(given({ k: 1 }), { param: 'metadata.k', code: 'invalid_type' })
})

test('the least max_output_tokens is the operator’s choice (req 20)', () => {
  const body = { model: 'm', input: 'a', max_output_tokens: 8 }
  accept(body)
  const error = refusal(() => validateCreateResponse(body, { ...WARN, minOutputTokens: 16 }))
  assert.equal(error.code, 'integer_below_min_value')
  assert.equal(
    error.message,
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 8 instead.",
  )
  refuse({ ...body, max_output_tokens: 0 }, { param: 'max_output_tokens', code: 'integer_below_min_value' })
})

test('without any input there is nothing to answer (req 13)', () => {
  refuse(
    { model: 'm' },
    { param: 'input', code: 'missing_required_parameter', message: "Missing required parameter: 'input'." },
  )
  refuse({}, { param: 'input', code: 'missing_required_parameter' })
  refuse(
    { model: 'm', messages: [] },
    { param: 'messages', code: 'unsupported_parameter', message: /moved to 'input'/ },
  )
  accept({ model: 'm', previous_response_id: 'resp_1' })
  accept({ model: 'm', conversation: 'conv_1' })
  accept({ model: 'm', conversation: { id: 'conv_1' } })
})

test('a conversation and a previous response exclude each other (req 53)', () => {
  refuse(
    { model: 'm', input: 'a', previous_response_id: 'resp_1', conversation: 'conv_1' },
    { param: 'previous_response_id', code: 'mutually_exclusive_parameters' },
  )
})

test('tools inside an item hold no secrets of an MCP server, because items are stored', () => {
  const item = (more: object) => ({
    type: 'additional_tools',
    role: 'developer',
    tools: [{ type: 'mcp', server_label: 'docs', server_url: 'https://mcp.example.com/', ...more }],
  })
  accept({ model: 'm', input: [{ role: 'user', content: 'a' }, item({})] })
  for (const [field, value] of Object.entries({ authorization: 'key', headers: { 'x-key': 'key' } })) {
    const param = `input[0].tools[0].${field}`
    refuse({ model: 'm', input: [item({ [field]: value })] }, { param, code: 'invalid_value', message: /cannot hold/ })
  }
})

test('what the server does not carry yet is refused by name, and ignored when it asks for nothing', () => {
  const body = { model: 'm', input: 'a' }
  const meaningful = {
    moderation: { model: 'x' },
  }
  for (const [field, value] of Object.entries(meaningful)) {
    const code = 'unsupported_parameter'
    refuse({ ...body, [field]: value }, { param: field, code, message: /does not support it yet\. \w+/ })
  }
  accept({ ...body, background: false, conversation: '', prompt: null, context_management: [], moderation: null })
})

test('an image needs a source that is a URL or a file, with or without detail (req 7)', () => {
  accept(user([{ type: 'input_image', image_url: 'https://example.com/a.png' }]))
  accept(user([{ type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' }]))
  accept(user([{ type: 'input_image', file_id: 'file-1' }]))
  refuse(user([{ type: 'input_text', text: 'a' }, { type: 'input_image' }]), {
    param: 'input[0].content[1].image_url',
    code: 'missing_required_parameter',
  })
  refuse(user([{ type: 'input_image', image_url: 'file:///etc/passwd' }]), {
    param: 'input[0].content[0].image_url',
    code: 'invalid_value',
  })
})

test('a file comes by id, by URL, or as data with a name (req 8)', () => {
  accept(user([{ type: 'input_file', file_id: 'file-1' }]))
  accept(user([{ type: 'input_file', file_url: 'https://example.com/a.pdf' }]))
  accept(user([{ type: 'input_file', file_data: 'AA==', filename: 'a.pdf' }]))
  refuse(user([{ type: 'input_file' }]), { param: 'input[0].content[0].file_id', code: 'missing_required_parameter' })
  refuse(user([{ type: 'input_file', file_data: 'AA==' }]), {
    param: 'input[0].content[0].filename',
    code: 'missing_required_parameter',
  })
})

test('schemas of tools and formats are bounded and self-contained, wherever they stand', () => {
  const remote = { properties: { a: { $ref: 'https://example.com/x.json' } } }
  const tool = { type: 'function', name: 'f', parameters: remote }
  const param = 'parameters'
  const code = 'invalid_function_parameters'
  refuse({ model: 'm', input: 'a', tools: [tool] }, { param: `tools[0].${param}`, code })
  const namespace = { type: 'namespace', name: 'n', tools: [FUNCTION, tool] }
  refuse({ model: 'm', input: 'a', tools: [namespace] }, { param: `tools[0].tools[1].${param}`, code })
  const added = { type: 'additional_tools', role: 'developer', tools: [tool] }
  refuse({ model: 'm', input: [added] }, { param: `input[0].tools[0].${param}`, code })
  const format = { type: 'json_schema', name: 'n', schema: remote }
  refuse({ model: 'm', input: 'a', text: { format } }, { param: 'text.format.schema', code: 'invalid_json_schema' })
})

test('text that no store keeps exactly is refused where it stands', () => {
  const code = 'invalid_value'
  refuse(user([{ type: 'input_text', text: 'a\ud800b' }]), {
    param: 'input[0].content[0].text',
    code,
    message: /half of a surrogate pair/,
  })
  refuse({ model: 'm', input: 'a\0' }, { param: 'input', code })
  refuse({ model: 'm', input: 'a', metadata: { 'a\0': 'b' } }, { param: 'metadata', code })
})

test('stream_options without a stream is reported', () => {
  const { warnings } = accept({ model: 'm', input: 'a', stream_options: { include_obfuscation: false } })
  assert.deepEqual(warnings, ["stream_options was ignored, because 'stream' is not true"])
})
