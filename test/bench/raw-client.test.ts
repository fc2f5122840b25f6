import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { runLoad } from '../../bench/load.ts'
import { buildRequest, openConnection } from '../../bench/raw-client.ts'

/** Answers each request with the next of `replies`, byte by byte or at once. */
describe('the load generator', () => {
  let replies: string[] = []
  let bytewise = false
  let port = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => {
      const reply = replies.shift() ?? ''
      if (reply === '') socket.destroy()
      else void write(socket, reply)
    })
  })
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') port = address.port
  })
  after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  async function write(socket: Socket, reply: string): Promise<void> {
    for (const piece of bytewise ? reply : [reply]) {
      socket.write(piece)
      await new Promise((done) => setImmediate(done))
    }
  }

  const request = buildRequest('POST', '/x', { authorization: 'Bearer k' }, { a: 1 })
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n'
  const sized = 'HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno'

  test('writes a request with its length', () => {
    const text = request.toString()
    assert.match(text, /^POST \/x HTTP\/1\.1\r\nhost: 127\.0\.0\.1\r\nauthorization: Bearer k\r\n/)
    assert.ok(text.endsWith('content-length: 7\r\n\r\n{"a":1}'))
  })

  for (const each of [false, true]) {
    test(`reads sized and chunked replies on one connection ${each ? 'byte by byte' : 'at once'}`, async () => {
      bytewise = each
      replies = [chunked, sized, chunked]
      const connection = await openConnection(port)
      const pieces: string[] = []
      const first = await connection.send(request, (text) => pieces.push(text))
      assert.deepEqual(first, { status: 200, body: 'helloabcdefghijklmnopqrstuvwxyz' })
      assert.equal(pieces.join(''), first.body)
      assert.deepEqual(await connection.send(request), { status: 404, body: 'no' })
      assert.equal((await connection.send(request)).status, 200)
      connection.close()
    })
  }

  test('rejects a reply that ends early', async () => {
    replies = ['']
    const connection = await openConnection(port)
    await assert.rejects(connection.send(request), /closed the connection before the reply was whole/)
  })

  test('stops at a reply that is not right', async () => {
    bytewise = false
    replies = [sized]
    const check = () => assert.fail('not the right reply')
    await assert.rejects(runLoad({ port, concurrency: 1, durationMs: 1000, request, check }), /not the right reply/)
  })

  test('sends no more requests than it may', async () => {
    replies = Array.from({ length: 9 }, () => sized)
    const result = await runLoad({
      port,
      concurrency: 3,
      durationMs: 10_000,
      maxRequests: 7,
      request,
      check: () => {},
    })
    assert.equal(result.requests, 7)
    assert.deepEqual(
      [...result.latencies].sort((a, b) => a - b),
      result.latencies,
    )
  })
})
