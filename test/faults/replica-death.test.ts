/** A replica that is killed: the other one ends what it ran, or goes on with it. Only in the long form, `ANTIPHON_FAULTS=full`: it takes 25 s. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import OpenAI from 'openai'
import { request } from 'undici'
import { send } from '../support/http.ts'
import { NO_POSTGRES, openSchema } from '../support/postgres.ts'
import { startServer } from '../support/server.ts'
import { createCrashRunner } from './crash-runner.ts'
import { isFull } from './seed.ts'

const HEALED_MS = 30_000
const STEP_MS = 4_000
const skip = NO_POSTGRES || (!isFull && 'it is part of the long form, ANTIPHON_FAULTS=full')

test('what a killed replica ran is ended as failed within 30 s, and what a living one runs is not', {
  skip,
}, async (t) => {
  const schema = await openSchema()
  const runner = createCrashRunner('')
  const doomed = await runner.start({ ANTIPHON_STORAGE__DATABASE_URL: schema.url })
  const config = `storage: { files: "${join(runner.dataDir, 'files')}" }`
  const survivor = await startServer({ databaseUrl: schema.url, secretsOf: runner.dataDir, config })
  const begin = async (at: { url: string; apiKey: string }) => {
    const { body } = await request(`${at.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${at.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'demo', input: '[delay:45000] Hello', stream: true }),
    })
    const id = await new Promise<string>((resolve) =>
      body.on('data', (piece) => resolve(/"id":"(resp_\w+)"/.exec(String(piece))?.[1] ?? '')),
    )
    assert.match(id, /^resp_/)
    return { id, body }
  }
  const lost = await begin(doomed)
  const living = await begin(survivor)
  lost.body.on('error', () => {})
  await doomed.kill()
  const killedAt = performance.now()
  const statusOf = async (id: string) => (await send(survivor, 'GET', `/v1/responses/${id}`)).json.status
  while ((await statusOf(lost.id)) === 'in_progress') {
    assert.ok(performance.now() - killedAt < HEALED_MS, 'it still looks as if it ran')
    await delay(100)
  }
  t.diagnostic(`ended ${Math.round(performance.now() - killedAt)} ms after the kill`)
  assert.equal(await statusOf(lost.id), 'failed')
  assert.equal(await statusOf(living.id), 'in_progress')
  living.body.destroy()
  await survivor.close()
  runner.dispose()
  await schema.drop()
})

test('a background run of a killed replica goes on at another within 30 s, and so does a stream of it', {
  skip,
}, async (t) => {
  const schema = await openSchema()
  const runner = createCrashRunner('')
  const doomed = await runner.start({ ANTIPHON_STORAGE__DATABASE_URL: schema.url })
  const config = `storage: { files: "${join(runner.dataDir, 'files')}" }`
  const clientAt = (baseURL: string, apiKey: string) => new OpenAI({ baseURL, apiKey, maxRetries: 0 })
  const first = clientAt(`${doomed.url}/v1`, doomed.apiKey)
  const input = `[delay:${STEP_MS}] Hello`
  const begun = await first.responses.create({ model: 'demo', input, background: true, stream: true })
  let id = ''
  let last = -1
  for await (const event of begun) {
    if (event.type === 'response.created') id = event.response.id
    last = event.sequence_number
    if (event.type === 'response.queued') break
  }
  while ((await first.responses.retrieve(id)).status === 'queued') await delay(20)
  // Started now, so that nobody else can have taken the run.
  const survivor = await startServer({ databaseUrl: schema.url, secretsOf: runner.dataDir, config })
  await doomed.kill()
  const killedAt = performance.now()
  const second = clientAt(survivor.baseUrl, survivor.apiKey)
  const numbers: number[] = []
  for await (const event of await second.responses.retrieve(id, { stream: true, starting_after: last }))
    numbers.push(event.sequence_number)
  const ms = Math.round(performance.now() - killedAt)
  t.diagnostic(`over ${ms} ms after the kill, of which the step takes ${STEP_MS}`)
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => last + 1 + at),
  )
  const response = await second.responses.retrieve(id)
  assert.equal(response.status, 'completed', response.error?.message)
  assert.ok(ms < HEALED_MS + STEP_MS)
  await survivor.close()
  runner.dispose()
  await schema.drop()
})
