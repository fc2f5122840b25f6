import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLineWriter } from './line-writer.ts'

const lostLine = (count: number) => `lost ${count}\n`
const untilLines = async (path: string, count: number) => {
  while (readFileSync(path, 'utf8').split('\n').length <= count) await new Promise((resolve) => setTimeout(resolve, 10))
}

function openFile(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-lines-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  return { path, fd: openSync(path, 'a') }
}

test('lines are written in their order, soon and without a call', async (t) => {
  const { path, fd } = openFile(t)
  const writer = createLineWriter({ fd, lostLine })
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i} é\n`)
  for (const line of lines) writer.write(line)
  await untilLines(path, lines.length)
  assert.equal(readFileSync(path, 'utf8'), lines.join(''))
})

test('a flush has written what waited when it returns', (t) => {
  const { path, fd } = openFile(t)
  const writer = createLineWriter({ fd, lostLine })
  writer.write('last words\n')
  writer.flush()
  assert.equal(readFileSync(path, 'utf8'), 'last words\n')
})

test('lines beyond the limit are lost, and the next one that is written says how many', async (t) => {
  const { path, fd } = openFile(t)
  const writer = createLineWriter({ fd, lostLine, maxWaitingChars: 12 })
  for (const line of ['first\n', 'second\n', 'third\n']) writer.write(line)
  await untilLines(path, 2)
  writer.write('fourth\n')
  writer.flush()
  assert.equal(readFileSync(path, 'utf8'), 'lost 1\nfirst\nthird\nfourth\n')
})

test('lines that cannot be written are lost and counted, and nothing throws', async (t) => {
  const { path } = openFile(t)
  const counts: number[] = []
  const fd = openSync(path, 'r')
  const writer = createLineWriter({ fd, lostLine: (count) => lostLine(counts.push(count)) })
  writer.write('one\n')
  while (counts.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    writer.write('more\n')
  }
  writer.flush()
  assert.ok((counts[0] ?? 0) >= 1)
})

test('a reader that is full loses nothing', async (t) => {
  // A socket of a pair: its descriptor does not block, so a write to a full one fails with EAGAIN.
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const accepted = once(server, 'connection')
  const client = connect(address.port, '127.0.0.1')
  const [reader] = await accepted
  await once(client, 'connect').catch(() => {})
  t.after(() => {
    client.destroy()
    reader.destroy()
    server.close()
  })
  const handle: unknown = Reflect.get(client, '_handle')
  const fd = typeof handle === 'object' && handle !== null ? Number(Reflect.get(handle, 'fd')) : -1
  const writer = createLineWriter({ fd, lostLine })
  const line = `${'x'.repeat(9_999)}\n`
  for (let i = 0; i < 800; i += 1) writer.write(line)
  let received = 0
  for await (const chunk of reader) {
    received += chunk.length
    if (received === 800 * line.length) break
  }
  assert.equal(received, 800 * line.length)
})
