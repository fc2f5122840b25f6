/** Replies that are no streams: refusals, wrong types, silence. */
import { gzipSync } from 'node:zlib'
import { CANARY, completed, errorBody, failed, fault, garbage, type HostileFault, status } from './hostile-fault.ts'
import { END, JSON_TYPE, SOME_USAGE, SSE, text } from './hostile-wire.ts'

export const STATUSES: Readonly<Record<string, HostileFault>> = {
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
  'status-529': status(529, failed(503), 'retried'),
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

export const TYPES: Readonly<Record<string, HostileFault>> = {
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

export const SILENCES: Readonly<Record<string, HostileFault>> = {
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
  'never-closed': fault(async (reply) => {
    await reply.open()
    await reply.chunk(text('said all') + END)
    await reply.hang()
  }, completed('said all')),
}
