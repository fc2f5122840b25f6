/** The Files API through the official SDK and through plain sockets. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { systemClock } from '../../src/lib/clock.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MB = 1024 * 1024

/** The files that hold content, finished or not; `id` is the mark of the folder. */
async function storedFiles(server: TestServer): Promise<number> {
  const entries = await readdir(join(server.dataDir, 'files'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile() && entry.name !== 'id').length
}

const clientOf = (server: TestServer, apiKey = server.apiKey) =>
  new OpenAI({ baseURL: server.baseUrl, apiKey, maxRetries: 0 })

type Sent = { status: number; json: { error?: { message: string; param: string | null; code: string | null } } }

/** A form as fetch makes it. */
async function post(server: TestServer, form: FormData, path = '/v1/files'): Promise<Sent & { id?: string }> {
  const reply = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}` },
    body: form,
  })
  return { status: reply.status, json: (await reply.json()) as Sent['json'] }
}

function formOf(fields: Record<string, string | File>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return form
}

describe('files through the official SDK', () => {
  let server: TestServer
  let client: OpenAI
  before(async () => {
    server = await startServer({ checked: true, config: 'limits: { file: 2MB }\n' })
    client = clientOf(server)
  })
  after(() => server.close())

  test('a file is uploaded, read, listed, given back unchanged and deleted (req 171, 172, 173)', async () => {
    const content = Buffer.from([0, 255, 13, 10, 45, 45, ...Buffer.from('--boundary\r\n'), 0])
    for (const purpose of ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const) {
      const file = await client.files.create({ file: await toFile(content, 'data.bin'), purpose })
      assert.match(file.id, /^file-[0-9a-f]{48}$/)
      assert.deepEqual([file.object, file.bytes, file.filename], ['file', content.length, 'data.bin'])
      assert.deepEqual([file.purpose, file.status], [purpose, 'processed'])
      assert.deepEqual(await client.files.retrieve(file.id), file)
      assert.deepEqual(await client.files.waitForProcessing(file.id), file)
      const reply = await client.files.content(file.id)
      assert.deepEqual(Buffer.from(await reply.arrayBuffer()), content)
      assert.equal(reply.headers.get('content-type'), 'application/octet-stream')
      assert.equal(reply.headers.get('x-content-type-options'), 'nosniff')
      assert.match(reply.headers.get('content-disposition') ?? '', /^attachment; filename="data.bin"/)
      assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true })
      await assert.rejects(client.files.retrieve(file.id), { status: 404 })
      await assert.rejects(client.files.content(file.id), { status: 404 })
      await assert.rejects(client.files.delete(file.id), { status: 404 })
    }
    assert.equal(await storedFiles(server), 0, 'a deleted file leaves no bytes behind')
  })

  test('lists go page after page in both orders, and by purpose (req 172)', async () => {
    const made: string[] = []
    for (let at = 0; at < 5; at += 1) {
      const purpose = at % 2 === 0 ? 'assistants' : 'vision'
      made.push((await client.files.create({ file: await toFile(Buffer.from('x'), `${at}.txt`), purpose })).id)
    }
    const walked: string[] = []
    for await (const file of client.files.list({ limit: 2, order: 'asc' })) walked.push(file.id)
    assert.deepEqual(walked, made)
    const newest = await client.files.list({ limit: 2 })
    assert.deepEqual(
      newest.data.map(({ id }) => id),
      made.toReversed().slice(0, 2),
    )
    assert.equal(newest.has_more, true)
    const vision = await client.files.list({ purpose: 'vision', order: 'asc' })
    assert.deepEqual(
      vision.data.map(({ id }) => id),
      [made[1], made[3]],
    )
    await assert.rejects(client.files.list({ after: 'file-none' }), { status: 400, param: 'after' })
    await assert.rejects(client.files.list({ limit: 10_001 }), { status: 400, param: 'limit' })
    await assert.rejects(client.files.list({ purpose: 'nonsense' }), { status: 400, param: 'purpose' })
    for (const id of made) await client.files.delete(id)
    const empty = await send(server, 'GET', '/v1/files')
    assert.deepEqual(empty.json, { object: 'list', data: [], first_id: null, last_id: null, has_more: false })
  })

  test('two clients that upload at once get a file each', async () => {
    const contents = Array.from({ length: 8 }, (_, at) => `content ${at} `.repeat(1_000 * (at + 1)))
    const files = await Promise.all(
      contents.map(async (text) =>
        client.files.create({ file: await toFile(Buffer.from(text), 'a'), purpose: 'evals' }),
      ),
    )
    const back = await Promise.all(files.map(async ({ id }) => (await client.files.content(id)).text()))
    assert.deepEqual(back, contents)
    await Promise.all(files.map(({ id }) => client.files.delete(id)))
    assert.equal(await storedFiles(server), 0)
  })

  test('expires_after is checked and told, and fields may come in any order (req 171)', async () => {
    const file = new File(['x'], 'a.txt')
    const seconds = '3600'
    const first = { purpose: 'user_data', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': seconds }
    for (const fields of [
      { ...first, file },
      { file, ...first },
    ]) {
      const { status, json } = await post(server, formOf(fields))
      assert.equal(status, 200)
      const { created_at, expires_at } = json as { created_at?: number; expires_at?: number }
      assert.equal(expires_at, (created_at ?? 0) + 3_600)
    }
    const wrong: readonly [Record<string, string>, string][] = [
      [{ 'expires_after[anchor]': 'last_active_at' }, 'expires_after.anchor'],
      [{ 'expires_after[seconds]': '3599' }, 'expires_after.seconds'],
      [{ 'expires_after[seconds]': '2592001' }, 'expires_after.seconds'],
      [{ 'expires_after[seconds]': 'soon' }, 'expires_after.seconds'],
      [{ purpose: 'nonsense' }, 'purpose'],
    ]
    for (const [change, param] of wrong) {
      const { status, json } = await post(server, formOf({ ...first, file, ...change }))
      assert.deepEqual([status, json.error?.param], [400, param], JSON.stringify(change))
    }
    const halves = await post(server, formOf({ file, purpose: 'evals', 'expires_after[anchor]': 'created_at' }))
    assert.deepEqual([halves.status, halves.json.error?.param], [400, 'expires_after.seconds'])
  })

  test('a file that is too large is refused, whether its size is declared or not (req 171)', async () => {
    const before = await storedFiles(server)
    const declared = toFile(Buffer.alloc(5 * MB), 'large.bin')
    await assert.rejects(client.files.create({ file: await declared, purpose: 'evals' }), {
      status: 413,
      param: 'file',
      code: 'file_too_large',
    })
    const { body, type } = await streamedForm(5 * MB)
    const reply = await fetch(`${server.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': type },
      body,
      duplex: 'half',
    })
    assert.equal(reply.status, 413)
    assert.equal(await storedFiles(server), before)
  })
})

async function streamedForm(bytes: number) {
  const response = new Response(formOf({ purpose: 'evals', file: new File([Buffer.alloc(bytes)], 'large.bin') }))
  const { body } = response
  assert.ok(body)
  return { body, type: response.headers.get('content-type') ?? '' }
}

describe('forms that are not what they should be', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.close())
  const file = () => new File(['x'], 'a.txt')

  test('what is missing or wrong is named', async () => {
    const twice = formOf({ purpose: 'evals', file: file() })
    twice.append('file', file())
    const cases: readonly [FormData, string][] = [
      [formOf({ purpose: 'evals' }), 'file'],
      [formOf({ file: file() }), 'purpose'],
      [formOf({ purpose: 'evals', file: 'a text' }), 'file'],
      [formOf({ purpose: file(), file: file() }), 'purpose'],
      [twice, 'file'],
    ]
    for (const [form, param] of cases) {
      const { status, json } = await post(server, form)
      assert.deepEqual([status, json.error?.param], [400, param])
    }
    assert.equal(await storedFiles(server), 0)
  })

  test('a field that nobody knows is told in a warning', async () => {
    const reply = await fetch(`${server.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.apiKey}` },
      body: formOf({ purpose: 'evals', file: file(), porpose: 'x' }),
    })
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('x-antiphon-warnings') ?? '', /porpose is unknown.*purpose/)
  })

  test('malformed bodies are 400 and leave nothing', async () => {
    const before = await storedFiles(server)
    const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx'
    const bodies = ['', 'nonsense', part, `${part}\r\n--b`, `${part}\r\n--bx--`, '--b--\r\n', '--b\r\n\r\n\r\n--b--']
    for (const body of bodies) {
      const reply = await fetch(`${server.url}/v1/files`, {
        method: 'POST',
        headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'multipart/form-data; boundary=b' },
        body,
      })
      assert.equal(reply.status, 400, JSON.stringify(body))
      const { error } = (await reply.json()) as { error: { message: string } }
      assert.ok(error.message.length > 0)
    }
    assert.equal(await storedFiles(server), before)
  })

  test('other content types are 415, by what to send instead', async () => {
    const json = await send(server, 'POST', '/v1/files', { purpose: 'evals' })
    assert.equal(json.status, 415)
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-encoding': 'gzip' }
    assert.equal((await send(server, 'POST', '/v1/files', {}, { headers })).status, 415)
    const noBoundary = { 'content-type': 'multipart/form-data' }
    assert.equal((await send(server, 'POST', '/v1/files', {}, { headers: noBoundary })).status, 400)
  })

  const NAMES: readonly [sent: string, kept: string | null][] = [
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\System32\\evil.txt', 'evil.txt'],
    ['naïve ☃ 文件.txt', 'naïve ☃ 文件.txt'],
    ['say "hi"; filename=other.txt', 'say "hi"; filename=other.txt'],
    ['CON', 'CON'],
    ['.hidden', '.hidden'],
    ['עברית.txt', 'עברית.txt'],
    ['100%25.txt', '100%25.txt'],
    ["it's (1)*.txt", "it's (1)*.txt"],
    ['..', null],
    ['/', null],
    ['nul\0l.txt', null],
    ['a\r\nSet-Cookie: x=1.txt', null],
    ['cod\u202Etxt.exe', null],
    ['x'.repeat(4_096), null],
    ['x'.repeat(256), null],
    ['☃'.repeat(255), '☃'.repeat(255)],
  ]
  for (const [sent, kept] of NAMES) {
    const outcome = kept === null ? 'is refused' : 'is kept as a name and breaks no header'
    test(`a file called ${JSON.stringify(sent).slice(0, 40)} ${outcome}`, async () => {
      const { status, json } = await post(server, formOf({ purpose: 'evals', file: new File(['x'], sent) }))
      if (kept === null) return assert.deepEqual([status, json.error?.param], [400, 'file'])
      assert.equal(status, 200)
      const { id, filename } = json as { id?: string; filename?: string }
      assert.equal(filename, kept)
      const { status: found, headers, text } = await send(server, 'GET', `/v1/files/${id}/content`)
      assert.deepEqual([found, text], [200, 'x'])
      const disposition = String(headers['content-disposition'])
      assert.match(disposition, /^attachment; filename="[ -~]*"; filename\*=UTF-8''[A-Za-z0-9%._~-]*$/)
      assert.equal(decodeURIComponent(disposition.split("UTF-8''")[1] ?? ''), kept)
      assert.equal(headers['set-cookie'], undefined)
    })
  }
})

test('keys without the scope send no files, and readers only read', async (t) => {
  const config = `keys:
  - { key: sk-only-files-0000000000, key_alias: files, scopes: [files] }
  - { key: sk-only-read-00000000000, key_alias: read, scopes: [read] }
  - { key: sk-only-responses-000000, key_alias: responses, scopes: [responses] }
`
  const server = await startServer({ config })
  t.after(() => server.close())
  const [files, read, responses] = ['sk-only-files-0000000000', 'sk-only-read-00000000000', 'sk-only-responses-000000']
  const made = await clientOf(server, files).files.create({
    file: await toFile(Buffer.from('x'), 'a.txt'),
    purpose: 'evals',
  })
  const statusOf = async (method: 'GET' | 'DELETE' | 'POST', path: string, key: string | undefined) =>
    (await send(server, method, path, undefined, { key: key ?? '' })).status
  for (const path of ['/v1/files', `/v1/files/${made.id}`, `/v1/files/${made.id}/content`]) {
    assert.deepEqual([await statusOf('GET', path, files), await statusOf('GET', path, read)], [200, 200])
    assert.equal(await statusOf('GET', path, responses), 403)
  }
  for (const key of [read, responses]) {
    assert.equal(await statusOf('DELETE', `/v1/files/${made.id}`, key), 403)
    assert.equal(await statusOf('POST', '/v1/files', key), 403)
    assert.equal(await statusOf('POST', '/v1/uploads', key), 403)
  }
  assert.equal(await statusOf('GET', '/v1/responses/resp_1', files), 403)
})

test('a project takes no more than its quota, and what it deletes makes room', async (t) => {
  const server = await startServer({ config: 'limits: { file_storage_per_project: 100KB, files_per_project: 3 }\n' })
  t.after(() => server.close())
  const client = clientOf(server)
  const create = async (bytes: number) =>
    client.files.create({ file: await toFile(Buffer.alloc(bytes), 'a.bin'), purpose: 'evals' })
  const large = await create(90_000)
  await assert.rejects(create(20_000), { status: 400, code: 'storage_limit_exceeded', param: 'file' })
  await client.files.delete(large.id)
  for (let at = 0; at < 3; at += 1) await create(20_000)
  await assert.rejects(create(1), { status: 400, code: 'limit_exceeded' })
  assert.equal(await storedFiles(server), 3)
})

test('a project that keeps nothing takes no files', async (t) => {
  const server = await startServer({ config: 'projects: { default: { zero_retention: true } }\n' })
  t.after(() => server.close())
  const refused = await post(server, formOf({ purpose: 'evals', file: new File(['x'], 'a.txt') }))
  assert.deepEqual([refused.status, refused.json.error?.code], [400, 'unsupported_endpoint'])
  const upload = { filename: 'a', purpose: 'assistants', bytes: 1, mime_type: 'text/plain' }
  const { status, json } = await send(server, 'POST', '/v1/uploads', upload)
  assert.deepEqual([status, (json.error as { code: string }).code], [400, 'unsupported_endpoint'])
  assert.equal(await storedFiles(server), 0)
})

test('an expired file is gone at once (req 174)', async (t) => {
  let passed = 0
  const clock = { ...systemClock, now: () => Date.now() + passed }
  const server = await startServer({ clock })
  t.after(() => server.close())
  const client = clientOf(server)
  const file = await client.files.create({
    file: await toFile(Buffer.from('x'), 'a.txt'),
    purpose: 'evals',
    expires_after: { anchor: 'created_at', seconds: 3_600 },
  })
  const batch = await client.files.create({ file: await toFile(Buffer.from('x'), 'a.jsonl'), purpose: 'batch' })
  assert.equal(batch.expires_at, batch.created_at + 30 * 24 * 3_600)
  passed = 3_600_000
  await assert.rejects(client.files.retrieve(file.id), { status: 404 })
  await assert.rejects(client.files.content(file.id), { status: 404 })
  assert.deepEqual(
    (await client.files.list()).data.map(({ id }) => id),
    [batch.id],
  )
})

test('200 MB go in and out while memory stays flat', { timeout: 240_000 }, async (t) => {
  const server = await startServer()
  t.after(() => server.close())
  const BYTES = 200 * MB
  const sent = createHash('sha256')
  const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
  const purpose = '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n'
  let peak = 0
  const base = process.memoryUsage().rss
  async function* body() {
    yield Buffer.from(purpose + head)
    for (let at = 0; at < BYTES / MB; at += 1) {
      const chunk = Buffer.alloc(MB, at)
      sent.update(chunk)
      peak = Math.max(peak, process.memoryUsage().rss - base)
      yield chunk
    }
    yield Buffer.from('\r\n--b--\r\n')
  }
  const { request } = await import('undici')
  const authorization = `Bearer ${server.apiKey}`
  const reply = await request(`${server.url}/v1/files`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'multipart/form-data; boundary=b' },
    body: Readable.from(body()),
  })
  const file = (await reply.body.json()) as { id: string; bytes: number }
  assert.equal(file.bytes, BYTES)
  const received = createHash('sha256')
  const download = await request(`${server.url}/v1/files/${file.id}/content`, { headers: { authorization } })
  for await (const chunk of download.body) {
    received.update(chunk)
    peak = Math.max(peak, process.memoryUsage().rss - base)
  }
  assert.equal(received.digest('hex'), sent.digest('hex'))
  t.diagnostic(`peak of ${Math.round(peak / MB)} MB above the start, client included`)
  assert.ok(peak < 120 * MB, `${Math.round(peak / MB)} MB`)
})
