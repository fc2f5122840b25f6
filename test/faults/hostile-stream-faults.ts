/** Streams that break off, are no text, or make no sense. */
import {
  completed,
  type Faults,
  type FaultWire,
  failed,
  fault,
  garbage,
  type HostileFault,
  stream,
} from './hostile-fault.ts'
import { event, SSE, type WireReply } from './hostile-wire.ts'

export const breaks = ({ start, text, end }: FaultWire): Faults => ({
  refused: { ...fault((reply) => reply.hang(), failed(502), 'retried'), unreached: true },
  'fin-at-once': fault(async (reply) => void reply.socket.end(), garbage),
  'rst-at-once': fault(async (reply) => void reply.socket.resetAndDestroy(), garbage),
  'fin-midway': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(start + text('half a sen'))
    reply.socket.end()
  }, garbage),
  'fin-in-a-chunk': fault(async (reply) => {
    await reply.open()
    await reply.chunk(start + text('half a sen'))
    await reply.raw('ff\r\ndata: {"x')
    reply.socket.end()
  }, garbage),
  'rst-midway': fault(async (reply) => {
    await reply.open()
    await reply.chunk(start + text('half a sen'))
    await reply.wait(10)
    reply.socket.resetAndDestroy()
  }, garbage),
  'length-too-long': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, 'content-length': '5000' })
    await reply.raw(start + text('half a sen'))
    reply.socket.end()
  }, garbage),
  'chunk-size-bad': fault(async (reply) => {
    await reply.open()
    await reply.chunk(start + text('a'))
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
    await stream(start, text('a'), end)(reply)
  }, garbage),
  'hints-first': fault(async (reply) => {
    await reply.raw('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n')
    await stream(start, text('after hints'), end)(reply)
  }, completed('after hints')),
  trailers: fault(async (reply) => {
    await reply.open({ trailer: 'x-sum' })
    await reply.chunk(start + text('trailed') + end)
    await reply.raw('0\r\nx-sum: 1\r\n\r\n')
  }, completed('trailed')),
  'cut-in-an-event': fault(stream(start, text('half'), text(' a sen').slice(0, -12)), garbage),
})

const cutIn = (whole: string, size: number): Buffer[] => {
  const bytes = Buffer.from(whole)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

export const texts = ({ start, text, end }: FaultWire): Faults => ({
  'split-code-points': fault(stream(start, ...cutIn(text('naïve 🦄 日本語'), 1), end), completed('naïve 🦄 日本語')),
  'split-surrogates': fault(stream(start, text('\ud83d'), text('\ude00'), end), completed('😀')),
  'lone-surrogate': fault(stream(start, text('a\ud83d'), text('b'), end), completed('a\ufffdb')),
  'not-utf8': fault(
    stream(start, text('a'), Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a]), end),
    garbage,
  ),
  'utf8-truncated': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(start + text('a'))
    await reply.raw(Buffer.concat([Buffer.from('data: {"x":"'), Buffer.from([0xe2, 0x82])]))
    reply.socket.end()
  }, garbage),
  'json-cut-in-event': fault(stream(start, text('a'), event('{"x":[{"y'), end), garbage),
  'deep-json': fault(stream(start, text('a'), event('['.repeat(200_000)), end), garbage),
  'not-an-object': fault(stream(start, text('a'), event('"text"'), end), garbage),
  crlf: fault(stream((start + text('crlf') + end).replaceAll('\n', '\r\n')), completed('crlf')),
  'cr-only': fault(stream((start + text('cr') + end).replaceAll('\n', '\r')), completed('cr')),
  bom: fault(stream(`\ufeff${start}${text('bom')}`, end), completed('bom')),
  'hostile-fields': fault(
    stream(start, `retry: 1\nid: \u0000\nevent: response.completed\n${text('plain')}`, end),
    completed('plain'),
  ),
  'giant-line': fault(async (reply) => {
    await reply.open()
    await reply.chunk('data: "')
    const filler = 'x'.repeat(64 * 1024)
    while (reply.isOpen()) await reply.chunk(filler)
  }, garbage),
})

const manyEvents =
  ({ start, text, end }: FaultWire, count: number) =>
  async (reply: WireReply) => {
    await reply.open()
    await reply.chunk(start)
    const batch = text('w').repeat(500)
    for (let sent = 0; sent < count && reply.isOpen(); sent += 500) await reply.chunk(batch)
    await reply.chunk(end)
    await reply.close()
  }

export const ends = (wire: FaultWire): Faults => {
  const { start, text, end } = wire
  return {
    'no-end': fault(stream(start, text('half a sen')), garbage),
    'no-text': fault(stream(': nothing\n\n', event('')), garbage),
    'two-terminals': fault(stream(start, text('once') + end + end), completed('once')),
    'after-the-end': fault(stream(start, text('told') + end, text('never told'), event('{"broken')), completed('told')),
    'noise-after-the-end': fault(
      stream(
        Buffer.concat([
          Buffer.from(start + text('told') + end),
          Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a]),
        ]),
      ),
      completed('told'),
    ),
    'many-events': fault(manyEvents(wire, 10_000), completed('w'.repeat(10_000))),
    ...(wire.reason !== null && afterReason(wire)),
  }
}

/** Only an orderly end makes up for a missing end mark: where the reply breaks, usage and late content may be lost. */
const afterReason = (wire: FaultWire): Faults => ({
  'fin-after-reason': fault(async (reply) => {
    await reply.head(200, { 'content-type': SSE, connection: 'close' })
    await reply.raw(untilReason(wire))
    reply.socket.end()
  }, completed('no end mark')),
  'rst-after-reason': fault(async (reply) => {
    await reply.open()
    await reply.chunk(untilReason(wire))
    await reply.wait(10)
    reply.socket.resetAndDestroy()
  }, garbage),
  'garbage-after-reason': fault(stream(untilReason(wire), event('{"broken')), garbage),
  'stall-after-reason': stallsAfterReason(wire),
})

const untilReason = ({ start, text, reason }: FaultWire) => `${start}${text('no end mark')}${reason}`

export const stallsAfterReason = (wire: FaultWire): HostileFault =>
  fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(untilReason(wire))
      await reply.hang()
    },
    failed(504),
    'one',
    'idle',
  )

/** Minutes of work for a small machine, and below any format: one wire shows it for all. */
export const floods = (wire: FaultWire): Faults => ({
  'very-many-events': { ...fault(manyEvents(wire, 100_000), completed('w'.repeat(100_000))), fullOnly: true },
  'too-many-events': { ...fault(manyEvents(wire, 250_000), garbage), fullOnly: true },
})
