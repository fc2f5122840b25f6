/** Streams that break off, are no text, or make no sense. */
import { CANARY, completed, errorBody, fault, garbage, good, type HostileFault, stream } from './hostile-fault.ts'
import { call, completionChunk, DONE, END, event, finish, SSE, text, usage, type WireReply } from './hostile-wire.ts'

export const BREAKS: Readonly<Record<string, HostileFault>> = {
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

export const TEXTS: Readonly<Record<string, HostileFault>> = {
  'split-code-points': fault(good(...cutIn(text('naïve 🦄 日本語'), 1)), completed('naïve 🦄 日本語')),
  'split-surrogates': fault(
    good(
      event('{"choices":[{"delta":{"content":"\\ud83d"}}]}'),
      event('{"choices":[{"delta":{"content":"\\ude00"}}]}'),
    ),
    completed('😀'),
  ),
  'lone-surrogate': fault(
    good(event('{"choices":[{"delta":{"content":"a\\ud83d"}}]}'), text('b')),
    completed('a\ufffdb'),
  ),
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

export const SENSE: Readonly<Record<string, HostileFault>> = {
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
    stream(
      text('a') + finish('stop') + usage({ prompt_tokens: 1e300, completion_tokens: '7', total_tokens: 1.5 }) + DONE,
    ),
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
