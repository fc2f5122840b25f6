/** Webhooks as an application uses them: the official SDK registers endpoints and unwraps what they receive. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Receiver = {
  readonly url: string
  /** What came in and was verified, oldest first. */
  readonly events: Awaited<ReturnType<OpenAI['webhooks']['unwrap']>>[]
  /** With what the next ones are verified. */
  secret: string
  status: number
  close(): void
}

let server: TestServer
let receiver: Receiver
let client: OpenAI
before(async () => {
  receiver = await startReceiver()
  const { host } = new URL(receiver.url)
  const hook = `{ url: "${receiver.url}/configured", secret: a-secret-of-the-file, events: [response.failed] }`
  server = await startServer({
    config: `security: { allow_private_hosts: ["${host}"] }\nwebhooks: { ops: ${hook} }`,
  })
  client = new OpenAI({ apiKey: server.apiKey, baseURL: server.baseUrl, maxRetries: 0 })
})
after(async () => {
  await server.close()
  receiver.close()
})

async function startReceiver(): Promise<Receiver> {
  const { webhooks } = new OpenAI({ apiKey: 'none' })
  const http = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    try {
      it.events.push(await webhooks.unwrap(Buffer.concat(chunks).toString(), headers, it.secret))
      reply.writeHead(it.status, { location: 'http://127.0.0.1:1/' }).end()
    } catch {
      reply.writeHead(401).end()
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const it: Receiver = {
    url: `http://127.0.0.1:${port}`,
    events: [],
    secret: '',
    status: 200,
    close: () => {
      http.closeAllConnections()
      http.close()
    },
  }
  return it
}

const create = (name: string) =>
  client.webhooks.create({ name, url: `${receiver.url}/${name}`, event_types: ['response.completed'] })

test('the SDK makes an endpoint, reads it, lists it, changes it and deletes it', async () => {
  const made = await create('orders')
  assert.match(made.id, /^whe_[0-9a-f]{48}$/)
  assert.match(made.signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  const { signing_secret, ...shown } = made
  assert.equal(made.signing_secret_hint, `whsec_...${signing_secret.slice(-4)}`)
  assert.deepEqual(await client.webhooks.retrieve(made.id), shown)
  const listed: string[] = []
  for await (const { id } of client.webhooks.list({ limit: 1 })) listed.push(id)
  assert.deepEqual(listed, [made.id, 'whe_ops'])
  const same = await client.webhooks.update(made.id, { name: 'orders' })
  assert.deepEqual(same, shown, 'an update that changes nothing leaves updated_at')
  const changed = await client.webhooks.update(made.id, { name: 'renamed', event_types: ['response.cancelled'] })
  assert.deepEqual([changed.name, changed.url, changed.event_types], ['renamed', made.url, ['response.cancelled']])
  const gone = await client.webhooks.delete(made.id)
  assert.deepEqual(gone, { id: made.id, object: 'webhook_endpoint.deleted', deleted: true })
  await assert.rejects(client.webhooks.retrieve(made.id), { status: 404 })
  const { data } = await client.webhooks.eventTypes.list()
  assert.deepEqual(data, ['response.completed', 'response.failed', 'response.cancelled', 'response.incomplete'])
})

test('a sample event is sent at once, signed, and its answer is told, whatever it is', async () => {
  const made = await create('sample')
  receiver.secret = made.signing_secret
  const before = receiver.events.length
  const sent = await client.webhooks.test(made.id, { event_type: 'response.failed' })
  assert.deepEqual(sent, {
    object: 'webhook_endpoint.test',
    webhook_endpoint_id: made.id,
    event_type: 'response.failed',
    status_code: 200,
    success: true,
  })
  const event = receiver.events[before]
  assert.equal(event?.type, 'response.failed')
  assert.match(event?.id ?? '', /^evt_/)
  receiver.status = 302
  const redirected = await client.webhooks.test(made.id, { event_type: 'response.failed' })
  assert.equal(redirected.status_code, 302, 'a redirect is not followed')
  receiver.status = 200
  await client.webhooks.update(made.id, { url: receiver.url.replace(/\d+$/, '1') }).then(
    () => assert.fail('a port that the operator has not allowed'),
    (error) => assert.deepEqual([error.status, error.param], [400, 'url']),
  )
})

test('the end of a background response is told once, signed, and stands when it is told (req 167, 168)', async () => {
  const event_types = ['response.completed', 'response.cancelled'] as const
  const made = await client.webhooks.create({
    name: 'ends',
    url: `${receiver.url}/ends`,
    event_types: [...event_types],
  })
  receiver.secret = made.signing_secret
  const start = receiver.events.length
  const told = (id: string) =>
    receiver.events.slice(start).flatMap((event) => ('id' in event.data && event.data.id === id ? [event.type] : []))
  const done = await client.responses.create({ model: 'demo', input: 'Hello', background: true })
  const long = await client.responses.create({ model: 'demo', input: 'Hello [delay:60000]', background: true })
  await waitUntil(() => told(done.id).length > 0)
  assert.equal((await client.responses.retrieve(done.id)).status, 'completed')
  assert.equal((await client.responses.cancel(long.id)).status, 'cancelled')
  await client.responses.cancel(long.id)
  await waitUntil(() => told(long.id).length > 0)
  assert.deepEqual([told(done.id), told(long.id)], [['response.completed'], ['response.cancelled']])
  await client.webhooks.delete(made.id)
})

test('a secret is replaced at once, or with a day in which the old one verifies too', async () => {
  const made = await create('rotated')
  const test = () => client.webhooks.test(made.id, { event_type: 'response.completed' })
  const kept = await client.webhooks.rotateSecret(made.id, { keep_old_secret_active_for_24_hours: true })
  assert.notEqual(kept.signing_secret, made.signing_secret)
  for (const secret of [made.signing_secret, kept.signing_secret]) {
    receiver.secret = secret
    assert.equal((await test()).status_code, 200)
  }
  const fresh = await client.webhooks.rotateSecret(made.id)
  for (const [secret, status] of [
    [kept.signing_secret, 401],
    [fresh.signing_secret, 200],
  ] as const) {
    receiver.secret = secret
    assert.equal((await test()).status_code, status)
  }
})

test('an endpoint of the configuration is shown, tested, and changed only there', async () => {
  receiver.secret = 'a-secret-of-the-file'
  const endpoint = await client.webhooks.retrieve('whe_ops')
  assert.deepEqual(
    [endpoint.name, endpoint.event_types, endpoint.signing_secret_hint],
    ['ops', ['response.failed'], '...file'],
  )
  assert.equal((await client.webhooks.test('whe_ops', { event_type: 'response.failed' })).status_code, 200)
  for (const change of [
    () => client.webhooks.update('whe_ops', { name: 'mine' }),
    () => client.webhooks.rotateSecret('whe_ops'),
    () => client.webhooks.delete('whe_ops'),
  ]) {
    await assert.rejects(change(), { status: 400, code: 'webhook_endpoint_configured' })
  }
})

test('what is wrong with an endpoint is said by the name of its field', async () => {
  const body = { name: 'x', url: 'https://example.com/', event_types: ['response.completed'] }
  for (const [change, param] of [
    [{ name: '' }, 'name'],
    [{ name: undefined }, 'name'],
    [{ url: 'not a url' }, 'url'],
    [{ url: 'http://example.com/' }, 'url'],
    [{ url: 'https://127.0.0.1/' }, 'url'],
    [{ url: 'https://169.254.169.254/latest' }, 'url'],
    [{ url: 'https://user:pw@example.com/' }, 'url'],
    [{ url: `https://example.com/${'x'.repeat(3_000)}` }, 'url'],
    [{ event_types: [] }, 'event_types'],
    [{ event_types: ['batch.completed'] }, 'event_types[0]'],
    [{ colour: 'red' }, 'colour'],
  ] as const) {
    const { status, json } = await send(server, 'POST', '/v1/webhook_endpoints', { ...body, ...change })
    const { error } = json as { error: { param: string } }
    assert.deepEqual([status, error.param], [400, param], JSON.stringify(change))
  }
  const unreachable = await client.webhooks.create({
    name: 'x',
    url: 'https://does-not-exist.invalid/',
    event_types: ['response.completed'],
  })
  const sent = client.webhooks.test(unreachable.id, { event_type: 'response.completed' })
  await assert.rejects(sent, { status: 400, code: 'webhook_endpoint_unreachable' })
})

test('the log of an endpoint that was sent nothing is empty, and what was never sent cannot be sent again', async () => {
  const made = await create('quiet')
  const path = `/v1/webhook_endpoints/${made.id}/deliveries`
  const { status, json } = await send(server, 'GET', path)
  assert.deepEqual([status, json.object, json.data, json.has_more], [200, 'list', [], false])
  assert.equal((await send(server, 'POST', `${path}/evt_0/redeliver`)).status, 404)
  assert.equal((await send(server, 'GET', '/v1/webhook_endpoints/whe_unknown/deliveries')).status, 404)
})
