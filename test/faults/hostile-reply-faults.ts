/** Replies that are no streams: refusals, wrong types, silence. */
import { gzipSync } from 'node:zlib'
import {
  CANARY,
  completed,
  type Faults,
  type FaultWire,
  failed,
  fault,
  garbage,
  type HostileFault,
  LEAK,
  type Outcome,
} from './hostile-fault.ts'
import { JSON_TYPE, SSE } from './hostile-wire.ts'

type Refusal = readonly [
  code: number,
  outcome: Outcome,
  calls?: HostileFault['calls'],
  headers?: Record<string, string>,
]

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'status-400': [400, failed(400, null)],
  'status-401': [401, failed(502, 'upstream_auth_error')],
  'status-402': [402, failed(502, 'upstream_auth_error')],
  'status-403': [403, failed(502, 'upstream_auth_error')],
  'status-404': [404, failed(404, 'model_not_found')],
  'status-408': [408, failed(502), 'retried'],
  'status-409': [409, failed(502)],
  'status-413': [413, failed(400, null)],
  'status-418': [418, failed(400, null)],
  'status-422': [422, failed(400, null)],
  'status-429': [429, failed(429, 'rate_limit_exceeded'), 'retried'],
  'status-429-wait': [429, failed(429, 'rate_limit_exceeded'), 'one', { 'retry-after': '30' }],
  'status-500': [500, failed(502), 'retried'],
  'status-502': [502, failed(502), 'retried'],
  'status-503': [503, failed(503), 'retried'],
  'status-503-wait': [503, failed(503), 'one', { 'retry-after': '3600' }],
  'status-504': [504, failed(504), 'retried'],
  'status-529': [529, failed(503), 'retried'],
}

export const statuses = ({ error }: FaultWire): Faults => ({
  ...Object.fromEntries(
    Object.entries(REFUSALS).map(([name, [code, outcome, calls, headers]]) => {
      const body = error(code, code >= 500 ? CANARY : `No: ${LEAK}.`)
      return [name, fault((reply) => reply.whole(code, JSON_TYPE, body, headers), outcome, calls)]
    }),
  ),
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
})

export const types = ({ start, text, end, error }: FaultWire): Faults => ({
  'html-200': fault((reply) => reply.whole(200, 'text/html', `<html>${CANARY}</html>`), garbage),
  'empty-200': fault((reply) => reply.whole(200, SSE, ''), garbage),
  'empty-json': fault((reply) => reply.whole(200, JSON_TYPE, ''), garbage),
  'json-list': fault((reply) => reply.whole(200, JSON_TYPE, '[1,2]'), garbage),
  'json-truncated': fault((reply) => reply.whole(200, JSON_TYPE, '{"a":[{"b":{"c":"ha'), garbage),
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
  'error-in-json-200': fault((reply) => reply.whole(200, JSON_TYPE, error(500, CANARY)), garbage),
  'type-octets': fault((reply) => reply.whole(200, 'application/octet-stream', start + text('a') + end), garbage),
  'type-none': fault((reply) => reply.whole(200, '', start + text('typeless') + end), completed('typeless')),
  'gzip-unasked': fault(
    (reply) => reply.whole(200, SSE, gzipSync(start + text('a') + end), { 'content-encoding': 'gzip' }),
    garbage,
  ),
})

export const silences = ({ start, text, end }: FaultWire): Faults => ({
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
      await reply.chunk(start)
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
      await reply.chunk(start + text('a'))
      for (; reply.isOpen(); await reply.wait(20)) await reply.chunk(': keep-alive\n\n')
    },
    failed(504),
    'one',
    'idle',
  ),
  'drip-of-bytes': fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(start + text('a'))
      await reply.chunk('data: {"x":"')
      for (; reply.isOpen(); await reply.wait(20)) await reply.chunk('x')
    },
    failed(504),
    'one',
    'idle',
  ),
  endless: fault(
    async (reply) => {
      await reply.open()
      await reply.chunk(start)
      for (; reply.isOpen(); await reply.wait(5)) await reply.chunk(text('on and on '))
    },
    failed(504),
    'one',
    'whole',
  ),
  'never-closed': fault(async (reply) => {
    await reply.open()
    await reply.chunk(start + text('said all') + end)
    await reply.hang()
  }, completed('said all')),
})
