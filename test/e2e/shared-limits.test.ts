/** Two whole servers that share a real Redis hold one limit together, and go on without it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { noRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'

const LIMIT = 40

describe('a limit of requests that replicas share (req 188)', { skip: noRedis }, () => {
  let redis: RedisServer
  let servers: TestServer[]
  const lost: unknown[] = []
  before(async () => {
    redis = await startRedis()
    const config = `storage: { cache: "${redis.url}" }\nlimits: { requests_per_minute: ${LIMIT} }`
    const options = { config, onFault: (error: unknown) => lost.push(error) }
    servers = [await startServer(options), await startServer(options)]
  })
  after(async () => {
    await Promise.all(servers.map((server) => server.close()))
    await redis.stop()
  })

  const ask = async (replica: number) => {
    const server = servers[replica]
    assert.ok(server)
    return send(server, 'GET', '/v1/models/demo')
  }
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  test('both together let through the limit and little more, and say how long to wait', async () => {
    await pauseBeforeMinuteEnds()
    let passed = 0
    for (let n = 0; n < LIMIT * 2; n++) {
      const { status, headers } = await ask(n % 2)
      if (status === 200) passed += 1
      else assert.deepEqual([status, Number(headers['retry-after']) > 0], [429, true])
      if (n % 8 === 7) await pause(250)
    }
    assert.ok(passed >= LIMIT && passed <= LIMIT + 16, `${passed} passed`)
  })

  test('without Redis no request fails or waits, and it is used again when it is back', async () => {
    await redis.stop()
    const began = performance.now()
    const statuses = await Promise.all([ask(0), ask(1)].map(async (reply) => (await reply).status))
    assert.ok(statuses.every((status) => status === 200 || status === 429))
    assert.ok(performance.now() - began < 2_000)
    await redis.start()
  })

  /** The test counts within one minute of the wall clock. */
  async function pauseBeforeMinuteEnds(): Promise<void> {
    const left = 60_000 - (Date.now() % 60_000)
    if (left < 15_000) await pause(left)
  }
})

test('a cache that nothing answers at stops the start, and says so without its password', async () => {
  const config = 'storage: { cache: "redis://user:hunter2hunter2@127.0.0.1:1" }'
  await using opened = new AsyncDisposableStack()
  const upstream = opened.adopt(await startChatUpstream(), (it) => it.close())
  await assert.rejects(startServer({ config, upstream }), (error: Error) => {
    assert.match(error.message, /storage\.cache: nothing answers as Redis at 127\.0\.0\.1:1/)
    assert.ok(!error.message.includes('hunter2'))
    return true
  })
})
