/** The same as disk-full.test.ts on a real file system of 16 MB, where the system allows to make one without rights. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { createCrashRunner, type RunningServer } from './crash-runner.ts'
import { isFull } from './seed.ts'
import { fillDisk, NO_SMALL_DISK, onSmallDisk } from './small-disk.ts'

const SIZE_MB = 16
const RECOVERED_MS = 5_000

const why = isFull ? NO_SMALL_DISK : 'only with ANTIPHON_FAULTS=full'

const ask = (server: RunningServer, input: string, stream = false) =>
  send(server, 'POST', '/v1/responses', { model: 'upstream/m', input, stream })

test('a real full disk refuses writes, loses nothing, and is left behind once there is space', {
  skip: why,
}, async (t) => {
  const upstream = await startChatUpstream({ record: false })
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k }`
  const runner = createCrashRunner(`providers:\n  ${provider}\nlimits: { requests_per_minute: 0 }\n`)
  mkdirSync(runner.dataDir, { mode: 0o700 })
  try {
    const server = await runner.start({}, onSmallDisk(runner.dataDir, SIZE_MB))
    const ballast = join(`/proc/${server.pid}/root`, runner.dataDir, 'ballast')
    const kept = await ask(server, 'Say hello.')
    assert.equal(kept.status, 200)
    fillDisk(ballast)

    const seen = new Map<string, number>()
    for (let round = 0; round < 60; round += 1) {
      const { status, json, text } = await ask(server, 'x'.repeat(40_000), round % 2 === 0)
      const code = (json.error as { code?: string } | null)?.code ?? /"code":"(\w+)"/.exec(text)?.[1] ?? ''
      seen.set(`${status} ${code}`, (seen.get(`${status} ${code}`) ?? 0) + 1)
      assert.ok(status === 200 || (status === 503 && code === 'storage_full'), `${status} ${text.slice(0, 300)}`)
      const read = await send(server, 'GET', `/v1/responses/${kept.json.id}`)
      assert.deepEqual([read.status, read.json], [200, kept.json])
    }
    t.diagnostic(JSON.stringify([...seen]))
    assert.ok((seen.get('503 storage_full') ?? 0) > 0)

    rmSync(ballast)
    const end = performance.now() + RECOVERED_MS
    for (let reply = await ask(server, 'again'); reply.status !== 200; reply = await ask(server, 'again')) {
      assert.ok(performance.now() < end, reply.text)
      await delay(100)
    }
    assert.equal(await server.stop(), 0)
    assert.doesNotMatch(server.output(), /corrupt|malformed database/i)
  } finally {
    await upstream.close()
    runner.dispose()
  }
})
