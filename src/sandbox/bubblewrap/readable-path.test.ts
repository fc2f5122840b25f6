import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readablePath } from './readable-path.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
const folder = mkdtempSync(join(tmpdir(), 'antiphon-private-'))
after(() => rmSync(folder, { recursive: true }))
const secret = join(folder, 'package')
mkdirSync(join(secret, 'inner'), { recursive: true })
writeFileSync(join(secret, 'inner', 'file.txt'), 'content', { mode: 0o600 })
const ofEverybody = (path: string) => (statSync(path).mode & 0o4) !== 0

test('what everybody can reach, or we ourselves shall read, is read where it is', () => {
  assert.equal(readablePath('/bin/sh', NOBODY), '/bin/sh')
  assert.equal(readablePath(secret, null), secret)
})

test('what lies in a folder of one user alone is copied to where everybody may read it, once', () => {
  assert.equal(statSync(folder).mode & 0o7, 0)
  const copy = readablePath(secret, NOBODY)
  assert.notEqual(copy, secret)
  assert.equal(readFileSync(join(copy, 'inner', 'file.txt'), 'utf8'), 'content')
  for (const path of [join(copy, '..'), copy, join(copy, 'inner'), join(copy, 'inner', 'file.txt')])
    assert.ok(ofEverybody(path), path)
  assert.equal(statSync(join(secret, 'inner', 'file.txt')).mode & 0o7, 0, 'the original stays what it was')
  assert.equal(readablePath(secret, NOBODY), copy)
})

test('a file that everybody may read needs no second copy of its content', () => {
  const file = join(folder, 'program')
  writeFileSync(file, 'x')
  chmodSync(file, 0o755)
  assert.equal(statSync(readablePath(file, NOBODY)).ino, statSync(file).ino)
})
