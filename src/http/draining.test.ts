import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, KEY, startServer, until } from '../../test/support/http-edge.ts'
import { cancelled, completed, created, delta, endless } from '../../test/support/scripted-engine.ts'
import { RunAbort } from '../engine/engine.ts'

const streamOf = (url: string) =>
  fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: KEY, 'content-type': 'application/json' },
    body: '{"stream":true}',
  }).then((reply) => reply.text())

test('while draining nothing new is taken, readiness says so, and what runs may end by itself (req 193)', async (t) => {
  const { url, engine, server } = await startServer(t)
  let finish = () => {}
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve
  })
  engine.script = async function* () {
    yield [created()]
    await mayFinish
    yield [delta(1, 'late'), completed(2)]
  }
  const stream = streamOf(url)
  await until(() => engine.traces.length === 1, 'the run goes')
  let drained = false
  const draining = server.drain(60_000).then(() => {
    drained = true
  })
  const refused = await call(`${url}/v1/responses`, 'POST', {})
  assert.deepEqual([refused.status, refused.error?.code], [503, 'server_shutting_down'])
  assert.equal(refused.headers.get('connection'), 'close')
  const ready = await call(`${url}/ready`)
  assert.equal(ready.status, 503)
  assert.equal((await call(`${url}/health`)).status, 200)
  assert.equal(drained, false)
  finish()
  assert.match(await stream, /late[\s\S]*response\.completed[\s\S]*data: \[DONE\]\n\n$/)
  await draining
  await assert.rejects(fetch(`${url}/health`))
  assert.equal(engine.traces[0]?.abortedBy, undefined)
})

test('at the deadline the rest is stopped, and every stream still ends with a terminal event', async (t) => {
  const { url, engine, server } = await startServer(t)
  engine.script = endless(5)
  const streams = Array.from({ length: 20 }, () => streamOf(url))
  const json = call(`${url}/v1/responses`, 'POST', {})
  await until(() => engine.traces.length === 21, 'all runs go')
  await server.drain(100)
  for (const text of await Promise.all(streams)) {
    assert.match(text, /event: response\.failed\ndata: .*\n\ndata: \[DONE\]\n\n$/)
  }
  assert.equal((await json).status, 200)
  for (const { abortedBy, readToEnd } of engine.traces) {
    assert.ok(abortedBy instanceof RunAbort && abortedBy.kind === 'shutdown' && readToEnd)
  }
})

test('a run that does not obey its signal cannot hold up the shutdown', async (t) => {
  const { url, engine, server } = await startServer(t, { limits: { shutdownGraceMs: 100 } })
  let obey = () => {}
  const obeyed = new Promise<void>((resolve) => {
    obey = resolve
  })
  engine.script = async function* () {
    yield [created()]
    await obeyed
    yield [cancelled(1)]
  }
  const stream = streamOf(url).catch(() => 'cut')
  await until(() => engine.traces.length === 1, 'the run goes')
  await server.drain(50)
  assert.equal(await stream, 'cut')
  assert.equal(engine.traces[0]?.readToEnd, false)
  obey()
  await until(() => engine.traces[0]?.readToEnd === true, 'the run was still read to its end')
})

test('a run whose client has left is waited for too', async (t) => {
  const { url, engine, server } = await startServer(t)
  engine.script = async function* (signal) {
    yield [created()]
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await new Promise((resolve) => setTimeout(resolve, 150))
    yield [cancelled(1)]
  }
  const abort = new AbortController()
  const request = fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: KEY, 'content-type': 'application/json' },
    body: '{}',
    signal: abort.signal,
  }).catch(() => null)
  await until(() => engine.traces.length === 1, 'the run goes')
  abort.abort()
  await request
  await until(() => engine.traces[0]?.abortedBy !== undefined, 'the run was told')
  await server.drain(60_000)
  assert.equal(engine.traces[0]?.readToEnd, true)
})

test('draining twice is draining once', async (t) => {
  const { server } = await startServer(t)
  await Promise.all([server.drain(10), server.drain(10_000), server.close()])
  await server.close()
})
