import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { keyFileOf, loadPepper, pepperFileOf, readFirstKey, saveFirstKey } from './secret-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-secrets-'))
after(() => rmSync(folder, { recursive: true }))
const newFolder = () => mkdtempSync(join(folder, 'data-'))
const rightsOf = (path: string) => statSync(path).mode & 0o777

test('the pepper is made once, for its owner alone, and stays', () => {
  const dataDir = join(newFolder(), 'not', 'there', 'yet')
  const pepper = loadPepper(dataDir)
  assert.equal(pepper.length, 32)
  assert.deepEqual(loadPepper(dataDir), pepper)
  assert.equal(rightsOf(pepperFileOf(dataDir)), 0o600)
  assert.equal(rightsOf(dataDir), 0o700)
  assert.deepEqual(readdirSync(dataDir), ['pepper'])
})

test('a damaged pepper is an error, never a new pepper', () => {
  const dataDir = newFolder()
  writeFileSync(pepperFileOf(dataDir), 'abc')
  assert.throws(() => loadPepper(dataDir), /is damaged/)
})

test('the first key is kept for its owner alone, also over an older file', () => {
  const dataDir = newFolder()
  assert.equal(readFirstKey(dataDir), null)
  writeFileSync(keyFileOf(dataDir), 'old', { mode: 0o644 })
  saveFirstKey(dataDir, 'sk-antiphon-x')
  assert.equal(readFirstKey(dataDir), 'sk-antiphon-x')
  assert.equal(rightsOf(keyFileOf(dataDir)), 0o600)
})
