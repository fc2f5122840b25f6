/** The Containers API: a real server, a real sandbox, the official SDK. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI from 'openai'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ELSEWHERE = /not found\. A container is known to the server that made it alone/

describe('containers', { skip: NO_SANDBOX }, () => {
  let server: TestServer
  let client: OpenAI
  before(async () => {
    server = await startServer({ checked: true, config: 'limits: { containers_per_project: 5 }\n' })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  })
  after(() => server?.close())

  const inside = (container: string, code: string) =>
    client.responses.create({
      model: 'demo',
      input: `Run python: ${code}`,
      tools: [{ type: 'code_interpreter', container }],
    })
  const refusedBy = (status: number, param: string | null, says: RegExp) => (error: unknown) => {
    assert.ok(error instanceof OpenAI.APIError, String(error))
    assert.deepEqual([error.status, error.param], [status, param])
    assert.match(error.message, says)
    return true
  }

  test('a container is created, listed by name, read and deleted (req 184)', async () => {
    const made = await client.containers.create({
      name: 'first',
      expires_after: { anchor: 'last_active_at', minutes: 5 },
    })
    assert.match(made.id, /^cntr_/)
    assert.deepEqual(
      [made.object, made.name, made.status, made.expires_after?.minutes],
      ['container', 'first', 'running', 5],
    )
    const other = await client.containers.create({ name: 'second', memory_limit: '1g' })
    assert.equal(other.memory_limit, '1g')
    const named = await client.containers.list({ name: 'first' })
    assert.deepEqual(
      named.data.map(({ id }) => id),
      [made.id],
    )
    const newest = await client.containers.list({ limit: 1 })
    assert.deepEqual([newest.data[0]?.id, newest.has_more], [other.id, true])
    const all: string[] = []
    for await (const { id } of client.containers.list({ limit: 1, order: 'asc' })) all.push(id)
    assert.deepEqual(all, [made.id, other.id])
    assert.equal((await client.containers.retrieve(made.id)).name, 'first')
    await client.containers.delete(made.id)
    await client.containers.delete(other.id)
    await assert.rejects(client.containers.retrieve(made.id), refusedBy(404, null, ELSEWHERE))
    await assert.rejects(client.containers.delete(made.id), refusedBy(404, null, /not found/))
    await assert.rejects(inside(made.id, '1'), refusedBy(400, 'tools[0].container', ELSEWHERE))
  })

  test('files that code makes are listed, read and deleted (req 184)', async () => {
    const { id } = await client.containers.create({ name: 'files' })
    assert.deepEqual((await client.containers.files.list(id)).data, [])
    await inside(id, 'import os\nos.mkdir("out")\nopen("out/a.txt", "w").write("hello")\nopen("b.txt", "w").write("x")')
    const { data } = await client.containers.files.list(id, { order: 'asc' })
    assert.deepEqual(
      data.map(({ path, bytes, source, container_id }) => [path, bytes, source, container_id]),
      [
        ['/mnt/data/b.txt', 1, 'assistant', id],
        ['/mnt/data/out/a.txt', 5, 'assistant', id],
      ],
    )
    const first = data[0]
    assert.ok(first)
    assert.match(first.id, /^cfile_/)
    assert.deepEqual(await client.containers.files.retrieve(first.id, { container_id: id }), first)
    await inside(id, 'open("b.txt", "w").write("longer")')
    const changed = await client.containers.files.retrieve(first.id, { container_id: id })
    assert.deepEqual([changed.id, changed.bytes], [first.id, 6])
    await client.containers.files.delete(first.id, { container_id: id })
    await assert.rejects(
      client.containers.files.retrieve(first.id, { container_id: id }),
      refusedBy(404, null, /file with id/),
    )
    assert.equal((await client.containers.files.list(id)).data.length, 1)
    await client.containers.delete(id)
    await assert.rejects(client.containers.files.list(id), refusedBy(404, null, /not found/))
  })

  test('files go in as a form, or by the id of an uploaded one, and come out as they were (req 142, 184)', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256))
    const uploaded = await client.files.create({ purpose: 'user_data', file: new File([bytes], 'data.bin') })
    const { id } = await client.containers.create({ name: 'in and out', file_ids: [uploaded.id] })
    const sent = await client.containers.files.create(id, { file: new File(['hello'], 'ünï (quoted).txt') })
    assert.deepEqual([sent.path, sent.bytes, sent.source], ['/mnt/data/ünï (quoted).txt', 5, 'user'])
    const copied = await client.containers.files.create(id, { file_id: uploaded.id })
    assert.equal(copied.path, '/mnt/data/data.bin')
    await inside(
      id,
      'd = open("data.bin", "rb").read()\nopen("back.bin", "wb").write(d[::-1])\nopen("page.html", "w").write("<script>")',
    )
    const { data } = await client.containers.files.list(id)
    const named = (name: string) => data.find(({ path }) => path === `/mnt/data/${name}`)?.id ?? ''
    const back = await client.containers.files.content.retrieve(named('back.bin'), { container_id: id })
    assert.ok(Buffer.from(await back.arrayBuffer()).equals(Buffer.from(bytes).reverse()))
    const page = await client.containers.files.content.retrieve(named('page.html'), { container_id: id })
    assert.equal(page.headers.get('content-type'), 'application/octet-stream')
    assert.match(page.headers.get('content-disposition') ?? '', /^attachment; filename="page.html"/)
    assert.match(page.headers.get('content-security-policy') ?? '', /sandbox/)
    await client.containers.delete(id)
  })

  test('a file that there is not, or that does not fit, is refused', async () => {
    const { id } = await client.containers.create({ name: 'refusing' })
    await assert.rejects(
      client.containers.files.create(id, { file_id: 'file-none' }),
      refusedBy(400, 'file_id', /No such File/),
    )
    await assert.rejects(
      client.containers.create({ name: 'x', file_ids: ['file-none'] }),
      refusedBy(400, 'file_ids[0]', /No such File/),
    )
    assert.equal((await client.containers.list({ name: 'x' })).data.length, 0)
    const large = new File([Buffer.alloc(2 ** 20 + 1)], 'large')
    const small = await startServer({ config: 'limits: { code_disk: 1MB }\n' })
    const other = new OpenAI({ baseURL: small.baseUrl, apiKey: small.apiKey, maxRetries: 0 })
    const place = await other.containers.create({ name: 'small' })
    await assert.rejects(other.containers.files.create(place.id, { file: large }), (error) => {
      assert.ok(error instanceof OpenAI.APIError)
      assert.ok(error.status === 400 || error.status === 413, String(error.status))
      return true
    })
    await small.close()
    await client.containers.delete(id)
  })

  test('an Idempotency-Key makes one container', async () => {
    const options = { headers: { 'Idempotency-Key': 'one-container' } }
    const first = await client.containers.create({ name: 'once' }, options)
    assert.deepEqual(await client.containers.create({ name: 'once' }, options), first)
    await client.containers.delete(first.id)
  })

  test('what cannot be had is refused by its field', async () => {
    const refused: readonly [object, string | null, RegExp][] = [
      [{}, 'name', /name/],
      [{ name: 'x', memory_limit: '64g' }, 'memory_limit', /limits\.code_memory/],
      [
        { name: 'x', network_policy: { type: 'allowlist', allowed_domains: ['a.example'] } },
        'network_policy',
        /network/,
      ],
      [
        { name: 'x', expires_after: { anchor: 'last_active_at', minutes: 60 } },
        'expires_after.minutes',
        /container_idle/,
      ],
      [{ name: 'x', expires_after: { anchor: 'created_at', minutes: 1 } }, 'expires_after.anchor', /last_active_at/],
      [{ name: 'x', skills: [{ type: 'skill_reference', skill_id: 's' }] }, 'skills', /skills/],
      [{ name: 'x', nonsense: 1 }, 'nonsense', /Unknown parameter/],
    ]
    for (const [body, param, says] of refused)
      await assert.rejects(client.post('/containers', { body }), refusedBy(400, param, says))
    await assert.rejects(client.containers.list({ after: 'cntr_none' }), refusedBy(400, 'after', /cntr_none/))
  })

  test('a project has so many; what a tool made by itself makes room, what was asked for does not', async () => {
    const made: string[] = []
    for (let count = 0; count < 4; count += 1) made.push((await client.containers.create({ name: `c${count}` })).id)
    const auto = { type: 'code_interpreter', container: { type: 'auto' } } as const
    const used = await client.responses.create({ model: 'demo', input: 'Run python: 1', tools: [auto] })
    const call = used.output.find(({ type }) => type === 'code_interpreter_call')
    assert.ok(call?.type === 'code_interpreter_call')
    const fifth = await client.containers.create({ name: 'fifth' })
    assert.equal((await client.containers.retrieve(call.container_id)).status, 'expired')
    await assert.rejects(client.containers.create({ name: 'sixth' }), refusedBy(429, null, /may have 5 at once/))
    const crowded = await client.responses.create({ model: 'demo', input: 'Run python: 1', tools: [auto] })
    const failed = crowded.output.find(({ type }) => type === 'code_interpreter_call')
    assert.ok(failed?.type === 'code_interpreter_call' && failed.status === 'failed', JSON.stringify(crowded.output))
    for (const id of [...made, fifth.id]) await client.containers.delete(id)
  })
})

test('a container that nobody uses expires, and says so (req 184)', { skip: NO_SANDBOX }, async (t) => {
  const server = await startServer({ config: 'limits: { container_idle: 1s }\n' })
  t.after(() => server.close())
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
  const { id } = await client.containers.create({ name: 'short' })
  assert.equal((await client.containers.retrieve(id)).status, 'running')
  for (let tries = 0; tries < 100 && (await client.containers.retrieve(id)).status === 'running'; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal((await client.containers.retrieve(id)).status, 'expired')
  await assert.rejects(client.containers.files.list(id), /expired/)
  const tools = [{ type: 'code_interpreter', container: id } as const]
  await assert.rejects(client.responses.create({ model: 'demo', input: 'x', tools }), /has expired/)
})
