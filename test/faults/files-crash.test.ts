/** The server is killed at every stage of an upload: what was told stays, and nothing else stays for ever. */
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { request } from 'undici'
import { send } from '../support/http.ts'
import { createCrashRunner, type RunningServer } from './crash-runner.ts'

const WAIT_MS = 20_000
const HEAD =
  '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nevals\r\n' +
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
const END = '\r\n--b--\r\n'

const filesIn = async (dataDir: string): Promise<number> =>
  (await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true })).filter((it) => it.isFile()).length

/** `body`: pulled as fast as the server takes it. */
async function upload({ url, apiKey }: RunningServer, body: () => AsyncGenerator<Buffer>): Promise<string | null> {
  const { Readable } = await import('node:stream')
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'multipart/form-data; boundary=b' }
  const reply = await request(`${url}/v1/files`, { method: 'POST', headers, body: Readable.from(body()) })
  const { id }: { id?: string } = JSON.parse(await reply.body.text())
  return id ?? null
}

async function* content(chunks: number) {
  yield Buffer.from(HEAD)
  for (let at = 0; at < chunks; at += 1) yield Buffer.alloc(100_000, at)
  yield Buffer.from(END)
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('files that were acknowledged outlive kill -9; those under way leave neither rows nor bytes', async () => {
  const runner = createCrashRunner('')
  try {
    const server = await runner.start()
    const kept = await Promise.all([1, 3, 5].map((chunks) => upload(server, () => content(chunks))))
    async function* endless() {
      yield Buffer.from(HEAD)
      for (;;) yield Buffer.alloc(100_000)
    }
    for (let at = 0; at < 3; at += 1) upload(server, endless).catch(() => {})
    await until('three more files are being written', async () => (await filesIn(runner.dataDir)) === 6)
    await server.kill()
    assert.equal(await filesIn(runner.dataDir), 6)

    const again = await runner.start()
    await until('the sweep removes what nobody owns', async () => (await filesIn(runner.dataDir)) === 3)
    const listed = await send(again, 'GET', '/v1/files')
    const ids = (listed.json.data as { id: string }[]).map(({ id }) => id)
    assert.deepEqual(ids.sort(), kept.map(String).sort())
    for (const id of ids) assert.equal((await send(again, 'GET', `/v1/files/${id}/content`)).status, 200)
    assert.equal(await again.stop(), 0)
    using database = new DatabaseSync(join(runner.dataDir, 'antiphon.db'), { readOnly: true })
    assert.deepEqual({ ...database.prepare('select count(*) as blobs from blobs').get() }, { blobs: 3 })
  } finally {
    runner.dispose()
  }
})

test('killed at a random moment under many uploads and deletes, the server stands by every answer', async () => {
  const runner = createCrashRunner('')
  const known = new Map<string, 'kept' | 'deleting' | 'deleted'>()
  try {
    for (let round = 0; round < 4; round += 1) {
      const server = await runner.start()
      let goesOn = true
      const worker = async () => {
        while (goesOn) {
          const id = await upload(server, () => content(1))
          if (id === null) continue
          known.set(id, 'kept')
          if (known.size % 2 === 0) continue
          known.set(id, 'deleting')
          const { status } = await send(server, 'DELETE', `/v1/files/${id}`)
          if (status === 200) known.set(id, 'deleted')
        }
      }
      const workers = Array.from({ length: 4 }, () => worker().catch(() => {}))
      await new Promise((resolve) => setTimeout(resolve, 300 + round * 137))
      await server.kill()
      goesOn = false
      await Promise.all(workers)
    }
    const server = await runner.start()
    const listed = await send(server, 'GET', '/v1/files')
    const present = new Set((listed.json.data as { id: string }[]).map(({ id }) => id))
    for (const [id, state] of known) if (state !== 'deleting') assert.equal(present.has(id), state === 'kept', id)
    for (const id of present) assert.equal((await send(server, 'GET', `/v1/files/${id}/content`)).text.length, 100_000)
    // A file may have been made whose answer nobody got to read; bytes without a file are another matter.
    await until('bytes and files are as many', async () => (await filesIn(runner.dataDir)) === present.size)
    assert.ok([...known.values()].includes('deleted') && present.size > 0)
    assert.equal(await server.stop(), 0)
  } finally {
    runner.dispose()
  }
})

test('a file whose bytes are gone is a failure of its own, before anything is sent', async () => {
  const runner = createCrashRunner('')
  try {
    const server = await runner.start()
    const id = await upload(server, () => content(1))
    const found = await readdir(join(runner.dataDir, 'files'), { recursive: true, withFileTypes: true })
    const bytes = found.find((entry) => entry.isFile())
    assert.ok(bytes)
    const { rm } = await import('node:fs/promises')
    await rm(join(bytes.parentPath, bytes.name))
    const { status, json } = await send(server, 'GET', `/v1/files/${id}/content`)
    assert.deepEqual([status, (json.error as { code: string }).code], [500, 'server_error'])
    assert.equal((await send(server, 'DELETE', `/v1/files/${id}`)).status, 200)
    await writeFile(join(runner.dataDir, 'files', 'part', 'stranger'), 'of nobody')
    assert.equal(await server.stop(), 0)
  } finally {
    runner.dispose()
  }
})
