import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cpuMs } from '../../../test/support/cpu-time.ts'
import { PARAM_NAMES } from '../chat-completions/param-names.ts'
import type { ModelErrorKind } from '../model.ts'
import { mapHttpError } from './map-error.ts'
import { sanitizeMessage } from './sanitize-message.ts'

const NOW = Date.parse('2025-01-01T00:00:00Z')
const openai = (message: string, code: string | null = null, param: string | null = null) => ({
  error: { message, type: 'invalid_request_error', param, code },
})

function map(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const reply = {
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    header: (name: string) => headers[name] ?? null,
    nowMs: NOW,
  }
  return mapHttpError(reply, { provider: 'acme', model: 'big', secrets: ['my-own-key'], params: PARAM_NAMES })
}

type Case = readonly [
  title: string,
  status: number,
  body: unknown,
  kind: ModelErrorKind,
  message: RegExp,
  param?: string,
]
const CASES: readonly Case[] = [
  [
    'a plain 400',
    400,
    openai("Invalid 'temperature'.", null, 'temperature'),
    'invalid_request',
    /^Invalid 'temperature'\.$/,
    'temperature',
  ],
  [
    'a param of ours by its other name',
    400,
    openai('Bad.', null, 'messages[3].content'),
    'invalid_request',
    /Bad/,
    'input',
  ],
  [
    'a field that only the message names',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'messages.0.content.1.text: Bad.' } },
    'invalid_request',
    /Bad/,
    'input',
  ],
  [
    'an account without money, blamed on the request',
    400,
    { error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' } },
    'quota',
    /used up/,
  ],
  [
    'an input and a limit that are too much together',
    400,
    { error: { message: 'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000' } },
    'context_length',
    /exceed context limit/,
    'input',
  ],
  ['max_tokens', 400, openai('Bad.', null, 'max_completion_tokens'), 'invalid_request', /Bad/, 'max_output_tokens'],
  ['a param nobody here knows', 400, openai('Bad.', null, 'frobnicate'), 'invalid_request', /Bad/],
  [
    'the context length by code',
    400,
    openai('Too much.', 'context_length_exceeded', 'messages'),
    'context_length',
    /Too much/,
    'input',
  ],
  [
    "vLLM's words",
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens.",
      code: 400,
    },
    'context_length',
    /maximum context length/,
    'input',
  ],
  [
    "Anthropic's words",
    400,
    openai('prompt is too long: 210000 tokens > 200000 maximum'),
    'context_length',
    /too long/,
    'input',
  ],
  [
    "Gemini's words, in a list",
    400,
    [
      {
        error: {
          code: 400,
          message: 'The input token count (40000) exceeds the maximum number of tokens allowed (32768).',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
    'context_length',
    /exceeds/,
    'input',
  ],
  [
    'a key that Google does not know, with a 400',
    400,
    {
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
      },
    },
    'auth',
    /refused this server's credentials/,
  ],
  [
    'a field that Google names in its details, told apart from its parent',
    400,
    {
      error: {
        code: 400,
        message: 'Bad.',
        status: 'INVALID_ARGUMENT',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [{ field: 'Request.tools[0].function_declarations[1].name' }],
          },
        ],
      },
    },
    'invalid_request',
    /Bad/,
    'tools',
  ],
  [
    "llama.cpp's words",
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size, try increasing it',
        type: 'exceed_context_size_error',
      },
    },
    'context_length',
    /context size/,
    'input',
  ],
  [
    'the context length with a 500',
    500,
    { error: 'input length exceeds the context length' },
    'context_length',
    /context length/,
    'input',
  ],
  [
    'a content policy by code',
    400,
    openai('The response was filtered.', 'content_filter'),
    'content_policy',
    /filtered/,
  ],
  [
    'a moderation with a 403',
    403,
    { error: { code: 403, message: 'Input was flagged by moderation' } },
    'content_policy',
    /flagged/,
  ],
  [
    'a refused key',
    401,
    openai('Incorrect API key provided: sk-abc123def456.', 'invalid_api_key'),
    'auth',
    /refused this server's credentials/,
  ],
  ['a forbidden key', 403, openai('Forbidden'), 'auth', /HTTP 403/],
  ['an empty account', 402, openai('Insufficient Balance'), 'auth', /HTTP 402/],
  [
    'an unknown model',
    404,
    openai('The model does not exist'),
    'model_not_found',
    /does not know the model 'big'/,
    'model',
  ],
  [
    'an unknown model with a 400',
    400,
    openai('invalid model ID', 'model_not_found'),
    'model_not_found',
    /'big'/,
    'model',
  ],
  ['a wrong path', 404, '<html>Not found</html>', 'model_not_found', /base URL/, 'model'],
  ['a request timeout', 408, '', 'unavailable', /HTTP 408/],
  ['a conflict', 409, '', 'unavailable', /HTTP 409/],
  ['a body too large', 413, '', 'invalid_request', /without saying why/],
  [
    'a rate limit that calls itself too large',
    413,
    openai('Request too large for model on tokens per minute', 'rate_limit_exceeded'),
    'rate_limit',
    /rate/,
  ],
  [
    "Mistral's 422",
    422,
    { detail: [{ loc: ['body', 'messages', 0], msg: 'Field required', type: 'missing' }] },
    'invalid_request',
    /^body\.messages\.0: Field required$/,
  ],
  ['a rate limit', 429, openai('Limit reached for org-abc'), 'rate_limit', /limits its rate/],
  [
    'a text of its own for a 500',
    500,
    openai('Traceback: /srv/app.py at http://10.1.2.3'),
    'unavailable',
    /^The provider 'acme' is not available \(HTTP 500\)\.$/,
  ],
  [
    'an overload',
    529,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    'unavailable',
    /HTTP 529/,
  ],
  ['a redirect', 302, '', 'malformed', /never followed/],
  ['an Ollama text', 400, { error: 'model requires more system memory' }, 'invalid_request', /more system memory/],
  [
    "a router's inner error",
    400,
    {
      error: {
        code: 400,
        message: 'Provider returned error',
        metadata: { raw: '{"error":{"message":"image too small"}}' },
      },
    },
    'invalid_request',
    /^image too small$/,
  ],
]

describe('map error', () => {
  for (const [title, status, body, kind, message, param = null] of CASES) {
    it(`reads ${title}`, () => {
      const error = map(status, body)
      assert.equal(error.kind, kind)
      assert.match(error.message, message)
      assert.equal(error.param, param)
      assert.equal(error.status, status)
      assert.equal(error.provider, 'acme')
      assert.doesNotMatch(error.message, /https?:|sk-abc|10\.1\.2\.3/)
    })
  }

  it('reads Retry-After in seconds, as a date and in milliseconds, and nothing else', () => {
    const after = (headers: Readonly<Record<string, string>>) => map(429, '', headers).retryAfterMs
    assert.equal(after({ 'retry-after': '2' }), 2000)
    assert.equal(after({ 'retry-after': '0.5' }), 500)
    assert.equal(after({ 'retry-after': 'Wed, 01 Jan 2025 00:00:07 GMT' }), 7000)
    assert.equal(after({ 'retry-after': 'Wed, 01 Jan 2020 00:00:07 GMT' }), 0)
    assert.equal(after({ 'retry-after-ms': '1500', 'retry-after': '9' }), 1500)
    assert.equal(after({ 'retry-after': '9999999999' }), 86_400_000)
    assert.equal(after({ 'retry-after': 'soon' }), null)
    assert.equal(after({}), null)
  })

  it("reads the delay in the details of Google's errors, where no header says it", () => {
    const body = (retryDelay: unknown) => ({
      error: { code: 429, details: [7, { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }] },
    })
    assert.equal(map(429, body('34.074824224s')).retryAfterMs, 34_075)
    assert.equal(map(429, body('34s'), { 'retry-after': '2' }).retryAfterMs, 2000)
    assert.equal(map(429, body('99999999s')).retryAfterMs, 86_400_000)
    for (const other of ['soon', '3m', 5, null, undefined]) assert.equal(map(429, body(other)).retryAfterMs, null)
  })
})

describe('sanitize message', () => {
  const CLEAN: readonly (readonly [string, string])[] = [
    ['See https://user:pass@host.example/x?key=1 for help', 'See [url] for help'],
    ['Incorrect API key provided: sk-proj-abcDEF123456.', 'Incorrect API key provided: [key].'],
    ['Incorrect API key provided: sk-proj-********************mnop', 'Incorrect API key provided: [key]'],
    ['key gsk_abcdefgh12345678 is bad', 'key [key] is bad'],
    ['Use Bearer abc.def here', 'Use Bearer [key] here'],
    ['Authorization: Basic1234', 'Authorization: [key]'],
    ['api_key=hunter2hunter2', 'api_key=[key]'],
    ['token AIzaSyA-1234567890abcdefghijklmnopqrstu', 'token [key]'],
    ['digest 0123456789abcdef0123456789abcdef', 'digest [key]'],
    ['the key my-own-key', 'the key [key]'],
    ['at 10.0.0.5:8000 now', 'at [address] now'],
    ['a\u0000b\n\tc', 'a b c'],
    ["Invalid value for 'max_tokens': integer above 1", "Invalid value for 'max_tokens': integer above 1"],
    ['a key-value-storage with a keyboard-layout-option', 'a key-value-storage with a keyboard-layout-option'],
    ['No output for call_0123456789abcdef0123456789abcdef', 'No output for call_0123456789abcdef0123456789abcdef'],
  ]
  for (const [message, expected] of CLEAN) {
    it(`cleans ${JSON.stringify(message)}`, () => assert.equal(sanitizeMessage(message, ['my-own-key']), expected))
  }
  it('bounds what it lets through', () => {
    assert.equal(sanitizeMessage('word '.repeat(1000)).length, 500)
    const started = cpuMs()
    sanitizeMessage('a1'.repeat(1_000_000))
    assert.ok(cpuMs() - started < 2_000)
  })
})
