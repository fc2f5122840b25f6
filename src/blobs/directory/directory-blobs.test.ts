import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { blobContract } from '../blob-store.contract.ts'
import { openDirectoryBlobs } from './directory-blobs.ts'

async function openInTemp() {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-blobs-'))
  const root = join(directory, 'files')
  const entries = async () =>
    (await readdir(root, { recursive: true, withFileTypes: true })).filter((it) => it.isFile())
  return {
    root,
    blobs: openDirectoryBlobs(root),
    keys: async () => (await entries()).map(({ name }) => basename(name)),
    close: () => rm(directory, { recursive: true }),
  }
}

blobContract('directory', openInTemp)

const never = new AbortController().signal
async function* one(text: string) {
  yield Buffer.from(text)
}

test('folders and files are private, and a blob lies in a folder of its hash', async (t) => {
  const opened = await openInTemp()
  t.after(opened.close)
  await opened.blobs.write('blob_abcdefgh', one('secret'), never)
  const found = await readdir(opened.root, { recursive: true, withFileTypes: true })
  for (const entry of found) {
    const { mode } = await stat(join(entry.parentPath, entry.name))
    assert.equal(mode & 0o077, 0, `${entry.name} is closed to others`)
  }
  const file = found.find((entry) => entry.isFile())
  assert.match(basename(file?.parentPath ?? ''), /^[0-9a-f]{2}$/)
})

test('what a dead process left of an unfinished write goes with the key', async (t) => {
  const opened = await openInTemp()
  t.after(opened.close)
  await writeFile(join(opened.root, 'part', 'blob_abcdefgh'), 'half of')
  await opened.blobs.delete('blob_abcdefgh')
  assert.deepEqual(await opened.keys(), [])
})
