/**
 * What an upstream can do wrong, as scripts, each with what a user of the server must see. `docs/faults.md` says the
 * same in words.
 */
import { gzipSync } from 'node:zlib'
import {
  call,
  completionChunk,
  DONE,
  END,
  event,
  finish,
  JSON_TYPE,
  SOME_USAGE,
  SSE,
  text,
  usage,
  type WireReply,
} from './hostile-wire.ts'

/** In every body of an upstream's 5xx, and never in a reply of ours. */
export const CANARY = 'CANARY-of-the-upstream'
/** What upstreams are known to put into their messages. */
export const LEAK = 'key sk-live-abcdef0123456789 at http://10.0.0.7:9000/internal'

export type Outcome =
  /** The reply is an answer. */
  | { readonly end: 'completed' | 'incomplete'; readonly text?: string }
  /** JSON: this status and code. A stream: `response.failed`. */
  | { readonly end: 'failed'; readonly status: number; readonly code: string | null }

export type HostileFault = {
  readonly play: (reply: WireReply) => Promise<void>
  readonly outcome: Outcome
  /** Upstream calls: exactly one, or up to three where nothing was accepted. */
  readonly calls: 'one' | 'retried'
  /** The clock that must end it; 0 where it ends by itself. */
  readonly clock: keyof UpstreamTimes | null
  /** Too long or too large for every test run. */
  readonly fullOnly?: boolean
}

/** In real milliseconds. */
export type UpstreamTimes = { readonly firstByte: number; readonly idle: number; readonly whole: number }

const failed = (status: number, code: string | null = 'server_error'): Outcome => ({ end: 'failed', status, code })
const fault = (
  play: HostileFault['play'],
  outcome: Outcome,
  calls: HostileFault['calls'] = 'one',
  clock: HostileFault['clock'] = null,
): HostileFault => ({ play, outcome, calls, clock })

const errorBody = (message: string) => JSON.stringify({ error: { message, type: 'some_error', code: null } })
const status = (code: number, outcome: Outcome, calls: HostileFault['calls'] = 'one', headers = {}) =>
  fault(
    (reply) => reply.whole(code, JSON_TYPE, errorBody(code >= 500 ? CANARY : `No: ${LEAK}.`), headers),
    outcome,
    calls,
  )

/** A chunked stream of these pieces, whole. */
const stream = (...pieces: readonly (string | Uint8Array)[]) => async (reply: WireReply) => {
  await reply.open()
  for (const piece of pieces) await reply.chunk(piece)
  await reply.close()
}
const good = (...pieces: readonly (string | Uint8Array)[]) => stream(...pieces, END)
const completed = (answer?: string): Outcome => ({ end: 'completed', ...(answer !== undefined && { text: answer }) })
const garbage = failed(502)

const STATUSES: Readonly<Record<string, HostileFault>> = {
  'status-400': status(400, failed(400, null)),
  'status-401': status(401, failed(502, 'upstream_auth_error')),
  'status-402': status(402, failed(502, 'upstream_auth_error')),
  'status-403': status(403, failed(502, 'upstream_auth_error')),
  'status-404': status(404, failed(404, 'model_not_found')),
  'status-408': status(408, failed(502), 'retried'),
  'status-409': status(409, failed(502)),
  'status-413': status(413, failed(400, null)),
  'status-418': status(418, failed(400, null)),
  'status-422': status(422, failed(400, null)),
  'status-429': status(429, failed(429, 'rate_limit_exceeded'), 'retried'),
  'status-429-wait': status(429, failed(429, 'rate_limit_exceeded'), 'one', { 'retry-after': '30' }),
  'status-500': status(500, failed(502), 'retried'),
  'status-502': status(502, failed(502), 'retried'),
  'status-503': status(503, failed(503), 'retried'),
  'status-503-wait': status(503, failed(503), 'one', { 'retry-after': '3600' }),
  'status-504': status(504, failed(504), 'retried'),
  'status-529': status(529, failed(502), 'retried'),
  'status-500-html': fault((reply) => reply.whole(500, 'text/html', `<h1>${CANARY}</h1>`), failed(502), 'retried'),
  'status-500-endless': fault(
    async (reply) => {
      await reply.head(500, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' })
      while (reply.isOpen()) await reply.chunk(CANARY.repeat(1000))
    },
    failed(502),
    'retried',
  ),
  redirect: fault(
    (reply) => reply.whole(307, 'text/plain', '', { location: 'http://127.0.0.1:9/v1/chat/completions' }),
    garbage,
  ),
  'no-content': fault((reply) => reply.head(204, {}), garbage),
}

const TYPES: Readonly<Record<string, HostileFault>> = {
  'html-200': fault((reply) => reply.whole(200, 'text/html', `<html>${CANARY}</html>`), garbage),
  'empty-200': fault((reply) => reply.whole(200, SSE, ''), garbage),
  'empty-json': fault((reply) => reply.whole(200, JSON_TYPE, ''), garbage),
  'json-list': fault((reply) => reply.whole(200, JSON_TYPE, '[1,2]'), garbage),
  'json-truncated': fault((reply) => reply.whole(200, JSON_TYPE, '{"choices":[{"message":{"content":"ha'), garbage),
  'json-not-utf8': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        Buffer.concat([
          Buffer.from('{"choices":[{"message":{"content":"'),
          Buffer.from([0xe2, 0x82]),
          Buffer.from('"},"finish_reason":"stop"}]}'),
        ]),
      ),
    garbage,
  ),
  'json-for-a-stream': fault(
    (reply) =>
      reply.whole(
        200,
        JSON_TYPE,
        JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
          usage: SOME_USAGE,
        }),
      ),
    completed('whole'),
  ),
  'error-in-json-200': fault((reply) => reply.whole(200, JSON_TYPE, errorBody(CANARY)), garbage),
  'type-octets': fault((reply) => reply.whole(200, 'application/octet-stream', text('a') + END), garbage),
  'type-none': fault((reply) => reply.whole(200, '', text('typeless') + END), completed('typeless')),
  'gzip-unasked': fault(
    (reply) => reply.whole(200, SSE, gzipSync(text('a') + END), { 'content-encoding': 'gzip' }),
    garbage,
  ),
}

const SILENCES: Readonly<Record<string, HostileFault>> = {
  silent: fault((reply) => reply.hang(), failed(504), 'one', 'firstByte'),
  'silent-after-head': fault(
    async (reply) => {
      await reply.open()
      await reply.hang()
    },
    failed(504),
    'one',
    'firstByte',
  ),
  'silent-error-body': fault(
    async (reply) => {
      await reply.head(400, { 'content-type': JSON_TYPE, 'content-length': '100' })
      await reply.hang()
    },
    failed(504),
    'one',
    'firstByte',
  ),
  stall: fault(
    async (reply) => {
      await reply.open()
      for (const word of ['a ', 'b ', 'c ']) await reply.chunk(text(word))
      await reply.hang()
    },
    failed(504),
    'one',
    'idle',
  ),
  'comments-only': fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(text('a'))
      for (; reply.isOpen(); await reply.wait(20)) await reply.chunk(': keep-alive\n\n')
    },
    failed(504),
    'one',
    'idle',
  ),
  'drip-of-bytes': fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(text('a'))
      await reply.chunk('data: {"choices":[{"delta":{"content":"')
      for (; reply.isOpen(); await reply.wait(20)) await reply.chunk('x')
    },
    failed(504),
    'one',
    'idle',
  ),
  endless: fault(
    async (reply) => {
      await reply.open()
      for (; reply.isOpen(); await reply.wait(5)) await reply.chunk(text('on and on '))
    },
    failed(504),
    'one',
    'whole',
  ),
  'never-closed': fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(text('said all') + END)
      await reply.hang()
    },
    completed('said all'),
  ),
}

const BREAKS: Readonly<Record<string, HostileFault>> = {
  'fin-at-once': fault(async (reply) => void reply.socket.end(), garbage),
  'rst-at-once': fault(async (reply) => void reply.socket.resetAndDestroy(), garbage),
  'fin-midway': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(text('half a sen'))
    reply.socket.end()
  }, garbage),
  'fin-in-a-chunk': fault(async (reply) => {
    await reply.open()
    await reply.chunk(text('half a sen'))
    await reply.raw('ff\r\ndata: {"cho')
    reply.socket.end()
  }, garbage),
  'fin-after-reason': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(text('no end mark') + finish('stop'))
    reply.socket.end()
  }, completed('no end mark')),
  'rst-midway': fault(async (reply) => {
    await reply.open()
    await reply.chunk(text('half a sen'))
    await reply.wait(10)
    reply.socket.resetAndDestroy()
  }, garbage),
  'length-too-long': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, 'content-length': '5000' })
    await reply.raw(text('half a sen'))
    reply.socket.end()
  }, garbage),
  'chunk-size-bad': fault(async (reply) => {
    await reply.open()
    await reply.chunk(text('a'))
    await reply.raw('ZZ\r\nnonsense\r\n')
    await reply.hang()
  }, garbage),
  'not-http': fault(async (reply) => {
    await reply.raw('SSH-2.0-OpenSSH_9.9\r\n')
    await reply.hang()
  }, garbage),
  'head-too-large': fault(async (reply) => {
    await reply.raw(`HTTP/1.1 200 OK\r\nx-large: ${'x'.repeat(200_000)}\r\n\r\n`)
    await reply.hang()
  }, garbage),
  'continue-first': fault(async (reply) => {
    await reply.raw('HTTP/1.1 100 Continue\r\n\r\n')
    await good(text('a'))(reply)
  }, garbage),
  'hints-first': fault(async (reply) => {
    await reply.raw('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')
    await good(text('after hints'))(reply)
  }, completed('after hints')),
  trailers: fault(async (reply) => {
    await reply.open({ trailer: 'x-sum' })
    await reply.chunk(text('trailed') + END)
    await reply.raw('0\r\nx-sum: 1\r\n\r\n')
  }, completed('trailed')),
}

const cutIn = (whole: string, size: number): Buffer[] => {
  const bytes = Buffer.from(whole)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

const TEXTS: Readonly<Record<string, HostileFault>> = {
  'split-code-points': fault(good(...cutIn(text('naïve 🦄 日本語'), 1)), completed('naïve 🦄 日本語')),
  'split-surrogates': fault(
    good(event('{"choices":[{"delta":{"content":"\\ud83d"}}]}'), event('{"choices":[{"delta":{"content":"\\ude00"}}]}')),
    completed('😀'),
  ),
  'lone-surrogate': fault(good(event('{"choices":[{"delta":{"content":"a\\ud83d"}}]}'), text('b')), completed('a\ufffdb')),
  'not-utf8': fault(good(text('a'), Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a])), garbage),
  'utf8-truncated': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(text('a'))
    await reply.raw(Buffer.concat([Buffer.from('data: {"choices":[{"delta":{"content":"'), Buffer.from([0xe2, 0x82])]))
    reply.socket.end()
  }, garbage),
  'json-cut-in-event': fault(good(text('a'), event('{"choices":[{"del')), garbage),
  'deep-json': fault(good(text('a'), event('['.repeat(200_000))), garbage),
  'not-an-object': fault(good(text('a'), event('"text"')), garbage),
  crlf: fault(good((text('crlf') + END).replaceAll('\n', '\r\n')), completed('crlf')),
  'cr-only': fault(stream((text('cr') + END).replaceAll('\n', '\r')), completed('cr')),
  bom: fault(good(`\ufeff${text('bom')}`), completed('bom')),
  'hostile-fields': fault(
    good(`retry: 1\nid: \u0000\nevent: response.completed\n${text('plain')}`),
    completed('plain'),
  ),
  'giant-line': fault(async (reply) => {
    await reply.open()
    await reply.chunk('data: "')
    const filler = 'x'.repeat(64 * 1024)
    while (reply.isOpen()) await reply.chunk(filler)
  }, garbage),
}

const manyEvents = (count: number) => async (reply: WireReply) => {
  await reply.open()
  const batch = text('w').repeat(500)
  for (let sent = 0; sent < count && reply.isOpen(); sent += 500) await reply.chunk(batch)
  await reply.chunk(END)
  await reply.close()
}

const SENSE: Readonly<Record<string, HostileFault>> = {
  'many-events': fault(manyEvents(10_000), completed('w'.repeat(10_000))),
  'very-many-events': { ...fault(manyEvents(100_000), completed('w'.repeat(100_000))), fullOnly: true },
  'too-many-events': { ...fault(manyEvents(250_000), garbage), fullOnly: true },
  'done-only': fault(stream(DONE), garbage),
  'no-choices': fault(stream(event('{"choices":null}') + event('{"choices":[]}') + DONE), garbage),
  'two-terminals': fault(good(text('once') + END + END), completed('once')),
  'after-the-end': fault(good(text('told') + END, text('never told'), event('{"broken')), completed('told')),
  'error-first': fault(stream(event(errorBody(CANARY)), DONE), garbage),
  'error-after-chunk': fault(stream(text('a'), event(errorBody(CANARY)), DONE), garbage),
  'error-event': fault(stream(text('a'), `event: error\n${event(`{"message":"${CANARY}"}`)}`), garbage),
  'reason-error': fault(stream(text('a') + finish('error') + DONE), garbage),
  'reason-unknown': fault(stream(text('odd') + finish('because') + DONE), completed('odd')),
  'reason-length': fault(stream(text('cut') + finish('length') + DONE), { end: 'incomplete', text: 'cut' }),
  'usage-missing': fault(stream(text('free') + finish('stop') + DONE), completed('free')),
  'usage-negative': fault(
    stream(text('a') + finish('stop') + usage({ prompt_tokens: -5, completion_tokens: -1, total_tokens: -6 }) + DONE),
    completed('a'),
  ),
  'usage-absurd': fault(
    stream(text('a') + finish('stop') + usage({ prompt_tokens: 1e300, completion_tokens: '7', total_tokens: 1.5 }) + DONE),
    completed('a'),
  ),
  'call-index-twice': fault(
    stream(call(0, 'call_a', 'weather', '{}') + call(0, 'call_b', 'weather', '{"a":1}') + finish('tool_calls') + DONE),
    completed(),
  ),
  'call-index-backwards': fault(
    stream(call(3, 'call_a', 'weather', '{}') + call(1, 'call_b', 'weather', '{}') + finish('tool_calls') + DONE),
    completed(),
  ),
  'call-unknown-tool': fault(stream(call(0, 'call_a', 'rm_rf', '{}') + finish('tool_calls') + DONE), garbage),
  'call-nameless': fault(stream(call(0, 'call_a', undefined, '{}') + finish('tool_calls') + DONE), garbage),
  'call-arguments-broken': fault(
    stream(call(0, 'call_a', 'weather', '{"city": "Par') + finish('tool_calls') + DONE),
    completed(),
  ),
  'calls-without-number': fault(
    stream(
      Array.from({ length: 400 }, (_, index) => call(index, `call_${index}`, 'weather', '{}')).join('') +
        finish('tool_calls') +
        DONE,
    ),
    garbage,
  ),
  'proto-keys': fault(
    good(event(completionChunk({ content: 'clean', ['__proto__']: { polluted: true }, constructor: 1 }))),
    completed('clean'),
  ),
  'wrong-types': fault(
    good(event('{"choices":[{"delta":{"content":{"a":1},"tool_calls":7,"reasoning_content":[]}}]}') + text('right')),
    completed('right'),
  ),
}

export const HOSTILE_FAULTS: Readonly<Record<string, HostileFault>> = {
  ...STATUSES,
  ...TYPES,
  ...SILENCES,
  ...BREAKS,
  ...TEXTS,
  ...SENSE,
}
