/** A receiver of webhooks that is down while the server that owes it an event is killed and started again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../suites/start-process.ts'
import { send } from '../support/http.ts'
import { waitForEnd } from './background-load.ts'
import { createCrashRunner } from './crash-runner.ts'
import { withinMs } from './seed.ts'

/** The first repetition comes 5 s after the attempt that failed. */
const ARRIVES_MS = withinMs(15_000)

test('an event whose receiver was down, and whose server was killed then, arrives after the restart, once (req 169)', async (t) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const runner = createCrashRunner(`
security: { allow_private_hosts: ["127.0.0.1:${port}"] }
webhooks: { all: { url: "${url}", secret: a-secret-of-the-test, events: [response.completed] } }
`)
  t.after(() => runner.dispose())
  const doomed = await runner.start()
  const { json } = await send(doomed, 'POST', '/v1/responses', { model: 'demo', input: 'Hello', background: true })
  const id = String(json.id)
  await waitForEnd(doomed, id, performance.now() + ARRIVES_MS)
  while (!hasFailedOnce(runner.dataDir)) await delay(50)
  await doomed.kill()

  const received: { readonly id: string; readonly data: { readonly id: string } }[] = []
  const receiver = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    received.push(JSON.parse(Buffer.concat(chunks).toString()))
    reply.writeHead(200).end()
  }).listen(port, '127.0.0.1')
  await once(receiver, 'listening')
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const next = await runner.start()
  const until = performance.now() + ARRIVES_MS
  while (received.length === 0 && performance.now() < until) await delay(50)
  assert.deepEqual(
    received.map(({ data }) => data.id),
    [id],
  )
  assert.equal(await next.stop(), 0)
  assert.equal(received.length, 1)
})

function hasFailedOnce(dataDir: string): boolean {
  using database = new DatabaseSync(join(dataDir, 'antiphon.db'), { readOnly: true })
  return database.prepare('SELECT 1 FROM webhook_deliveries WHERE last_error IS NOT NULL').get() !== undefined
}
