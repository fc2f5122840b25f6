import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type LogOptions } from './log.ts'

const REQUEST = {
  requestId: 'req_1',
  method: 'POST',
  route: '/v1/responses',
  status: 200,
  durationMs: 12.3456,
  projectId: 'proj_default',
  keyId: 'abc',
  errorCode: null,
  clientRequestId: null,
  sessionId: null,
}
const USAGE = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 15,
}
const RESPONSE = {
  requestId: 'req_1',
  responseId: 'resp_1',
  model: 'demo',
  provider: 'demo',
  status: 'completed',
  stream: true,
  durationMs: 11,
  overheadMs: 1,
  firstTokenMs: 3,
  usage: USAGE,
  costUsd: 0.25,
} as const

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const write = (line: string) => lines.push(line)
  const log = createLog({ level: 'info', format: 'json', colour: false, secrets: [], write, ...options })
  const parsed = () => lines.map((line): Record<string, unknown> => JSON.parse(line))
  return { log, lines, parsed }
}

test('a request with its response is one line of JSON', () => {
  const { log, parsed } = capture()
  log.responseFinished(RESPONSE)
  log.requestFinished(REQUEST)
  const [line, ...more] = parsed()
  assert.deepEqual(more, [])
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(
    { ...line, time: undefined },
    {
      time: undefined,
      level: 'info',
      request_id: 'req_1',
      method: 'POST',
      route: '/v1/responses',
      status: 200,
      duration_ms: 12.35,
      project: 'proj_default',
      key: 'abc',
      error_code: null,
      client_request_id: null,
      session_id: null,
      response_id: 'resp_1',
      model: 'demo',
      provider: 'demo',
      response_status: 'completed',
      stream: true,
      response_ms: 11,
      overhead_ms: 1,
      first_token_ms: 3,
      input_tokens: 10,
      output_tokens: 5,
      cost_usd: 0.25,
      msg: 'request',
    },
  )
})

test('a response that outlives its request is written when the log is flushed', () => {
  const { log, parsed } = capture()
  log.requestFinished(REQUEST)
  log.responseFinished(RESPONSE)
  assert.equal(parsed().length, 1)
  log.flush()
  assert.equal(parsed()[1]?.msg, 'response')
})

test('the level decides what is written', () => {
  const { log, lines } = capture({ level: 'warn' })
  log.requestFinished(REQUEST)
  log.toolCalled({ tool: 'x', status: 'completed' })
  log.write('info', 'hello')
  assert.equal(lines.length, 0)
  log.write('warn', 'hello')
  assert.equal(lines.length, 1)
})

test('a failure is written with its cause, and without the secrets they quote', () => {
  const { log, lines, parsed } = capture({ secrets: ['my-provider-key'] })
  const cause = new Error('connect to https://me:pw@host failed with my-provider-key')
  const error = new Error('Authorization: Bearer sk-proj-1234567890abcdef was refused, api_key=hunter22222', { cause })
  Object.assign(error, { request: { body: 'a prompt' } })
  log.failed({ requestId: 'req_1', where: 'engine', error })
  log.failed({ requestId: null, where: 'engine', error: 'thrown sk-antiphon-abcdefghijkl_0123456789' })
  const text = lines.join('')
  for (const secret of ['1234567890abcdef', 'hunter22222', 'me:pw', 'my-provider-key', 'a prompt', '0123456789']) {
    assert.ok(!text.includes(secret), secret)
  }
  assert.equal(parsed()[0]?.level, 'error')
  assert.match(text, /connect to/)
})

test('a line is bounded whatever the error holds', () => {
  const { log, lines } = capture()
  const error = new Error('x'.repeat(1_000_000), { cause: new Error('y'.repeat(1_000_000)) })
  log.failed({ requestId: null, where: 'engine', error })
  assert.ok((lines[0]?.length ?? 0) < 8_192, String(lines[0]?.length))
})

test('a secret in a header of the client is not written', () => {
  const { log, lines } = capture()
  log.requestFinished({ ...REQUEST, clientRequestId: 'sk-proj-1234567890', sessionId: 'Bearer abcdefghijk' })
  assert.doesNotMatch(lines.join(''), /1234567890|abcdefghijk/)
})

test('a failed model call is a warning that names the provider', () => {
  const { log, parsed } = capture()
  const attempt = {
    provider: 'openai',
    model: 'gpt',
    outcome: 'failed',
    usage: null,
    status: 503,
    durationMs: 5,
    firstEventMs: null,
    upstreamRequestId: null,
  } as const
  log.modelAttempted({ requestId: 'req_1', attempt })
  assert.equal(parsed()[0]?.level, 'warn')
  assert.equal(parsed()[0]?.upstream_status, 503)
})

test('on a terminal a request is a readable line, and nothing in it can rewrite the terminal', () => {
  const { log, lines } = capture({ format: 'pretty' })
  log.requestFinished({ ...REQUEST, sessionId: 'a\u001b[2Jb\nc' })
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} INFO {2}POST \/v1\/responses 200 12.35 ms request_id=req_1 project=proj_default key=abc session_id=a\?\[2Jb\?c\n$/,
  )
  log.failed({ requestId: null, where: 'engine', error: new Error('bad\u001b[2J', { cause: new Error('worse') }) })
  assert.match(lines[1] ?? '', /ERROR failure in engine.*\nError: bad\?\[2J\n.*caused by Error: worse\n$/s)
  assert.ok(!capture({ format: 'pretty', colour: false }).lines.join('').includes('\u001b'))
})
