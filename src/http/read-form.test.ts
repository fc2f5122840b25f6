/** Forms and downloads on sockets that misbehave. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { KEY, rawExchange, startServer, until } from '../../test/support/http-edge.ts'
import { createScriptedEngine } from '../../test/support/scripted-engine.ts'
import type { Files } from '../engine/engine.ts'
import type { HttpLimits } from './limits.ts'

const HEAD = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
const END = '\r\n--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nevals\r\n--b--\r\n'

/** What an engine would do with files, without keeping any. */
async function open(t: TestContext, limits: Partial<HttpLimits> = {}) {
  const seen = { bytes: 0, error: null as unknown, pulled: 0 }
  const engine = createScriptedEngine()
  const files: Files = {
    ...engine.files,
    async create(form) {
      try {
        const { purpose } = await form.read(async ({ content }) => {
          for await (const chunk of content) seen.bytes += chunk.length
        })
        return {
          id: 'file-1',
          object: 'file',
          bytes: seen.bytes,
          created_at: 1,
          filename: 'a',
          purpose,
          status: 'processed',
        }
      } catch (error) {
        seen.error = error
        throw error
      }
    },
    async read() {
      async function* content() {
        for (; seen.pulled < 200; seen.pulled += 1) yield Buffer.alloc(1024 * 1024)
      }
      return { filename: 'a.bin', bytes: 200 * 1024 * 1024, content: content() }
    },
  }
  const started = await startServer(t, { engine: Object.assign(engine, { files }), limits, authenticator: ALL })
  return { ...started, seen }
}

const ALL = {
  authenticate: async () => ({ projectId: 'p', keyId: 'k', scopes: new Set(['files'] as const) }),
}

const headOf = (length: number | 'chunked') =>
  `POST /v1/files HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${KEY}\r\n` +
  'Content-Type: multipart/form-data; boundary=b\r\n' +
  (length === 'chunked' ? 'Transfer-Encoding: chunked\r\n\r\n' : `Content-Length: ${length}\r\n\r\n`)

/** Sends the pieces with a pause after each; answers what came back until the server closed, or `end` came. */
async function dribble(port: number, pieces: readonly string[], pauseMs: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk))
  socket.on('error', () => {})
  for (const piece of pieces) {
    socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  await until(() => received.includes('\r\n\r\n') || socket.destroyed, 'an answer')
  socket.destroy()
  return received
}

test('a form may take longer than any other body, as long as it goes on', async (t) => {
  const limits = { requestTimeoutMs: 300, headersTimeoutMs: 200, connectionsCheckMs: 50, stallMs: 5_000 }
  const { port, seen } = await open(t, limits)
  const content = Array.from({ length: 10 }, () => 'x'.repeat(1_000))
  const length = HEAD.length + 10_000 + END.length
  const reply = await dribble(port, [headOf(length) + HEAD, ...content, END], 100)
  assert.match(reply, /^HTTP\/1\.1 200 /)
  assert.equal(seen.bytes, 10_000)
})

test('a sender that stops, and one that takes for ever, are told so and cut off', async (t) => {
  const stalled = await open(t, { stallMs: 200 })
  assert.match(await rawExchange(stalled.port, `${headOf(1_000_000)}${HEAD}x`), /^HTTP\/1\.1 408 /)
  const slow = await open(t, { formTimeMs: 300, stallMs: 5_000 })
  const drops = Array.from({ length: 20 }, () => 'x')
  assert.match(await dribble(slow.port, [headOf(1_000_000) + HEAD, ...drops], 50), /^HTTP\/1\.1 408 .*took too long/s)
})

test('a sender that leaves in the middle is a refusal in the log and no fault', async (t) => {
  const { port, seen, log } = await open(t)
  const socket = connect(port, '127.0.0.1')
  socket.write(`${headOf(1_000_000)}${HEAD}${'x'.repeat(5_000)}`)
  await until(() => seen.bytes > 4_900, 'the first bytes')
  socket.destroy()
  await until(() => log.finished.length === 1, 'the end of the request')
  assert.match(String(seen.error), /closed before the body/)
  assert.deepEqual(log.failures, [])
})

test('a server that stops tells those who still send', async (t) => {
  const { port, server, seen } = await open(t)
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk))
  socket.write(`${headOf('chunked')}${HEAD.length.toString(16)}\r\n${HEAD}\r\n64\r\n${'x'.repeat(100)}\r\n`)
  await until(() => seen.bytes > 50, 'the first bytes')
  const closed = once(socket, 'close')
  await server.close()
  await closed
  assert.match(received, /^HTTP\/1\.1 503 .*server_shutting_down/s)
})

test('who sends on after a refusal gets to read it', async (t) => {
  const { port } = await open(t)
  const wrong = '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nnonsense\r\n'
  const body = `${wrong}${HEAD}${'x'.repeat(8 * 1024 * 1024)}${END}`
  for (let round = 0; round < 5; round += 1) {
    const reply = await rawExchange(port, headOf(body.length) + body)
    assert.match(reply, /^HTTP\/1\.1 400 .*Supported values are/s)
  }
})

test('a download goes no faster than it is read, and a reader that stops is cut off', async (t) => {
  const { port, seen, log } = await open(t, { stallMs: 300 })
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /v1/files/file-1/content HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${KEY}\r\n\r\n`)
  socket.once('data', () => socket.pause())
  await until(() => log.finished.length === 1, 'the end of the download')
  assert.ok(seen.pulled < 60, `${seen.pulled} MB were read for somebody who reads nothing`)
  assert.deepEqual(log.failures, [])
  socket.destroy()
})

test('HEAD of a download has its headers and reads no more than it must', async (t) => {
  const { url, seen } = await open(t)
  const reply = await fetch(`${url}/v1/files/file-1/content`, { method: 'HEAD', headers: { authorization: KEY } })
  assert.equal(reply.headers.get('content-length'), String(200 * 1024 * 1024))
  assert.match(reply.headers.get('content-disposition') ?? '', /^attachment/)
  assert.ok(seen.pulled < 2)
})
