import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import type { Agent } from 'undici'
import { waitUntil } from '../../test/fakes/chat-upstream.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { type Clock, systemClock } from './clock.ts'
import {
  callUpstream,
  createUpstreamAgent,
  DEFAULT_UPSTREAM_CLOCKS,
  type UpstreamClocks,
  UpstreamHttpError,
} from './upstream-http.ts'

/** Turns of the event loop, which both ends of a connection share; a time alone would be over at once after a stall. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}
const CLOCKS: UpstreamClocks = { connectMs: 1000, firstByteMs: 100, idleMs: 50, wholeMs: 1000 }
const isKind =
  (kind: string, clock: string | null = null) =>
  (error: unknown) =>
    error instanceof UpstreamHttpError && error.kind === kind && error.clock === clock

describe('upstream HTTP', () => {
  let server: Server
  let agent: Agent
  let sockets = new Set<Socket>()
  const listen = async (listener: RequestListener) => {
    server = createServer(listener)
    const open = new Set<Socket>()
    sockets = open
    server.on('connection', (socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    agent = createUpstreamAgent(DEFAULT_UPSTREAM_CLOCKS)
    const address = server.address()
    return new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`)
  }
  const post = (url: URL, clock: Clock = systemClock, signal = new AbortController().signal) =>
    callUpstream({
      dispatcher: agent,
      url,
      headers: {},
      body: '{}',
      signal,
      clock,
      clocks: clock === systemClock ? DEFAULT_UPSTREAM_CLOCKS : CLOCKS,
    })
  afterEach(async () => {
    await agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('reads a reply to its end and leaves its connection for the next', async () => {
    const url = await listen((_, response) => response.end('hello'))
    for (let call = 0; call < 8; call++) {
      const reply = await post(url)
      assert.deepEqual(await reply.readText(100), { text: 'hello', complete: true, valid: true })
      assert.equal(await reply.read(), null)
    }
    // The pool may open a second one while it still puts the first away.
    assert.ok(sockets.size <= 2, `${sockets.size} connections`)
  })

  it('says of a text whether it was UTF-8', async () => {
    const url = await listen((_, response) => response.end(Buffer.from([0x61, 0xe2, 0x82])))
    assert.equal((await (await post(url)).readText(100)).valid, false)
  })

  it('keeps the connection of a released reply, also when it is destroyed afterwards', async () => {
    let connections = 0
    const url = await listen((_, response) => response.end('hello'))
    server.on('connection', () => connections++)
    for (let call = 0; call < 8; call++) {
      const reply = await post(url)
      await reply.read()
      reply.release()
      reply.destroy()
      await settled()
    }
    assert.equal(connections, 1)
  })

  it('reads no more of a text than it may', async () => {
    const url = await listen((_, response) => response.end('x'.repeat(1000)))
    const reply = await post(url)
    assert.deepEqual(await reply.readText(10), { text: 'xxxxxxxxxx', complete: false, valid: false })
    reply.destroy()
  })

  it('counts the first byte, then silence, and only what the caller calls progress', async () => {
    const { clock, advance, pending } = createManualClock()
    const url = await listen((_, response) => {
      response.flushHeaders()
      const timer = setInterval(() => response.write(':\n'), 1)
      response.on('close', () => clearInterval(timer))
    })
    const reply = await post(url, clock)
    await reply.read()
    advance(60)
    reply.progress()
    await reply.read()
    advance(49)
    await reply.read()
    const waiting = (async () => {
      for (;;) await reply.read()
    })()
    // Attached at once, so that the rejection is never unhandled.
    const failed = assert.rejects(waiting, isKind('timeout', 'idle'))
    await settled()
    // What passed while nobody waited did not count: 50 more are needed.
    advance(49)
    await settled()
    advance(2)
    await failed
    assert.equal(pending(), 0)
  })

  it('gives up on a server that sends no head, and on one that takes too long as a whole', async () => {
    const { clock, advance } = createManualClock()
    let respond = false
    const url = await listen((_, response) => {
      if (respond) response.write('x')
    })
    const silent = assert.rejects(post(url, clock), isKind('timeout', 'first-byte'))
    await settled()
    advance(100)
    await silent
    respond = true
    const reply = await post(url, clock)
    await reply.read()
    reply.progress()
    const whole = assert.rejects(reply.read(), isKind('timeout', 'whole'))
    for (let step = 0; step < 25; step++) {
      advance(40)
      reply.progress()
    }
    await whole
  })

  it('closes the socket on abort, before the head and after it, also when nobody reads', async () => {
    let head = false
    const url = await listen((_, response) => {
      if (head) response.write('x')
    })
    const early = new AbortController()
    const pending = assert.rejects(post(url, systemClock, early.signal), isKind('aborted'))
    await settled()
    early.abort()
    await pending
    head = true
    const late = new AbortController()
    const reply = await post(url, systemClock, late.signal)
    late.abort()
    await waitUntil(() => sockets.size === 0)
    await assert.rejects(reply.read(), isKind('aborted'))
  })

  it('keeps the connection of a reply that ends soon after it was released, and closes one that does not', async () => {
    const { clock, advance } = createManualClock()
    let ends = true
    const url = await listen((_, response) => {
      response.write('done')
      if (ends) setTimeout(() => response.end(), 5)
    })
    const first = await post(url, clock)
    await first.read()
    first.release()
    await settled()
    assert.equal(sockets.size, 1)
    ends = false
    const second = await post(url, clock)
    await second.read()
    second.release()
    await settled()
    assert.equal(sockets.size, 1)
    advance(1000)
    await waitUntil(() => sockets.size === 0)
  })

  it('says what went wrong without saying where', async () => {
    const url = await listen((request, response) => {
      if (request.headers.host) response.write('x')
      setTimeout(() => response.destroy(), 5)
    })
    const reply = await post(url)
    await reply.read()
    await assert.rejects(
      reply.read(),
      (error) => isKind('connection')(error) && error instanceof Error && error.message === 'the connection was lost',
    )
    const nowhere = new URL('http://127.0.0.1:1/')
    await assert.rejects(
      post(nowhere),
      (error) =>
        isKind('connection')(error) && error instanceof Error && error.message === 'no connection (ECONNREFUSED)',
    )
  })

  it('does not follow redirects', async () => {
    const url = await listen((_, response) => response.writeHead(307, { location: '/x' }).end())
    const reply = await post(url)
    assert.equal(reply.status, 307)
    assert.equal(reply.header('location'), '/x')
    reply.release()
  })
})
