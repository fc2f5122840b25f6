/** What happens to the process itself: it is told to stop under load, and others hold its database or its directory. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, send } from '../support/http.ts'
import { type CrashRunner, createCrashRunner, type RunningServer } from './crash-runner.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { END, text } from './hostile-wire.ts'
import { isFull, withinMs } from './seed.ts'

const STREAMS = isFull ? 500 : 100
/** The time that streams get to end by themselves, and what the process may take after it. */
const DRAIN_MS = 3_000
const MAX_STOP_MS = withinMs(8_000)

type Parts = { readonly upstream: HostileUpstream; readonly runner: CrashRunner; readonly server: RunningServer }

async function withServer(config: string, body: (parts: Parts) => Promise<void>): Promise<void> {
  const upstream = await startHostileUpstream({
    play: (model) => {
      if (model === 'quick')
        return (reply) =>
          reply
            .open()
            .then(() => reply.chunk(text('quick') + END))
            .then(reply.close)
      if (model !== 'slow') return null
      return async (reply) => {
        await reply.open()
        for (; reply.isOpen(); await reply.wait(100)) await reply.chunk(text('on and on '))
      }
    },
  })
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k }`
  const runner = createCrashRunner(`providers:\n  ${provider}\n${config}`)
  try {
    const server = await runner.start()
    await body({ upstream, runner, server })
    await server.stop()
  } finally {
    await upstream.close()
    runner.dispose()
  }
}

/** A stream's whole text, and whether it has begun. */
function openStream(server: RunningServer) {
  const state = { begun: false, text: '' }
  const ended = (async () => {
    const reply = await request(`${server.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'upstream/slow', input: 'x', stream: true }),
    })
    for await (const piece of reply.body) {
      state.text += piece
      state.begun ||= state.text.includes('output_text.delta')
    }
  })()
  return { state, ended }
}

test('SIGTERM under many streams ends every one of them with a terminal event, and the process with 0', async (t) => {
  const config = `server: { drain_timeout: ${DRAIN_MS}ms }\nlimits: { streams_per_project: 1000, requests_per_minute: 0 }\n`
  await withServer(config, async ({ runner, server, upstream }) => {
    const streams = Array.from({ length: STREAMS }, () => openStream(server))
    await waitUntil(() => streams.every(({ state }) => state.begun))
    const began = performance.now()
    const stopped = server.stop()
    while ((await send(server, 'GET', '/ready')).status === 200) await delay(5)
    const late = await send(server, 'POST', '/v1/responses', { model: 'upstream/slow', input: 'x' })
    assert.equal(late.status, 503)
    assert.equal(late.headers.connection, 'close')
    await Promise.all(streams.map(({ ended }) => ended))
    assert.equal(await stopped, 0)
    const took = performance.now() - began
    t.diagnostic(`${STREAMS} streams ended and the process stopped in ${Math.round(took)} ms`)
    assert.ok(took < DRAIN_MS + MAX_STOP_MS)
    for (const { state } of streams) {
      const frames = framesOf(state.text)
      assert.deepEqual([frames.at(-2)?.event, frames.at(-1)?.data], ['response.failed', '[DONE]'])
    }
    await waitUntil(() => upstream.busySockets() === 0, withinMs(1_000))
    using database = new DatabaseSync(join(runner.dataDir, 'antiphon.db'), { readOnly: true })
    const rows = database.prepare('SELECT status, count(*) AS count FROM responses GROUP BY status').all()
    assert.deepEqual({ ...rows[0] }, { status: 'failed', count: STREAMS })
    assert.equal(rows.length, 1)
  })
})

const ask = (server: RunningServer) => send(server, 'POST', '/v1/responses', { model: 'upstream/quick', input: 'x' })

test('while another process holds the database only writes wait: reads and streams go on', async () => {
  await withServer('server: { drain_timeout: 0s }\n', async ({ runner, server }) => {
    const kept = await ask(server)
    const running = openStream(server)
    await waitUntil(() => running.state.begun)
    using other = new DatabaseSync(join(runner.dataDir, 'antiphon.db'))
    other.exec('BEGIN IMMEDIATE')
    const ends: string[] = []
    const waiting = ask(server).finally(() => ends.push('stored'))
    const soFar = running.state.text.length
    await waitUntil(() => running.state.text.length > soFar)
    const read = await send(server, 'GET', `/v1/responses/${kept.json.id}`)
    assert.deepEqual([read.status, read.json], [200, kept.json])
    const unstored = await send(server, 'POST', '/v1/responses', { model: 'upstream/quick', input: 'x', store: false })
    assert.equal(unstored.status, 200, unstored.text)
    ends.push('others')
    other.exec('COMMIT')
    assert.equal((await waiting).status, 200)
    assert.deepEqual(ends, ['others', 'stored'])
    await Promise.all([server.stop(), running.ended])
  })
})

test('a database that another process holds for too long is a 503 that may be retried', async () => {
  await withServer('', async ({ runner, server }) => {
    assert.equal((await ask(server)).status, 200)
    using other = new DatabaseSync(join(runner.dataDir, 'antiphon.db'))
    other.exec('BEGIN IMMEDIATE')
    const refused = await ask(server)
    other.exec('COMMIT')
    assert.equal(refused.status, 503, refused.text)
    assert.equal((refused.json.error as { code: string }).code, 'storage_busy')
    assert.equal(refused.headers['x-should-retry'], 'true')
    assert.equal((await ask(server)).status, 200)
  })
})

test('a second server on the same data ends with 3 and leaves the first alone', async () => {
  await withServer('', async ({ runner, server }) => {
    await assert.rejects(runner.start(), /process ended/)
    assert.equal((await ask(server)).status, 200)
    await server.kill()
    // The lock of a process that was killed is taken over.
    const next = await runner.start()
    assert.equal((await ask(next)).status, 200)
    assert.equal(await next.stop(), 0)
  })
})
