import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSealedBox } from '../lib/sealed-box.ts'
import { loadSealingKeys, MAX_SEALING_KEYS, rotateSealingKeys, sealingKeysFileOf } from './sealing-keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-sealing-'))
after(() => rmSync(folder, { recursive: true }))
const newFolder = () => mkdtempSync(join(folder, 'data-'))
const boxOf = (dataDir: string) => createSealedBox(loadSealingKeys(dataDir), 'test')

test('the first key is made once, for its owner alone, and stays', () => {
  const dataDir = join(newFolder(), 'not', 'there', 'yet')
  const keys = loadSealingKeys(dataDir)
  assert.equal(keys.length, 1)
  assert.deepEqual(loadSealingKeys(dataDir), keys)
  assert.equal(statSync(sealingKeysFileOf(dataDir)).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(dataDir), ['sealing-keys'])
})

test('after a rotation the new key seals, and what the old one sealed still opens (req 64)', () => {
  const dataDir = newFolder()
  const before = boxOf(dataDir).seal('thought', 'a')
  const rotated = rotateSealingKeys(dataDir)
  assert.deepEqual([rotated.kept, rotated.dropped], [1, 0])
  const box = boxOf(dataDir)
  assert.equal(box.open(before, 'a'), 'thought')
  assert.match(box.seal('thought', 'a'), new RegExp(`^apn2\\.${rotated.id}\\.`))
  assert.equal(statSync(sealingKeysFileOf(dataDir)).mode & 0o777, 0o600)
})

test('keys are bounded: the oldest one leaves, and what it sealed opens no more', () => {
  const dataDir = newFolder()
  const first = boxOf(dataDir).seal('thought', 'a')
  for (let made = 1; made < MAX_SEALING_KEYS; made++) assert.equal(rotateSealingKeys(dataDir).dropped, 0)
  assert.equal(boxOf(dataDir).open(first, 'a'), 'thought')
  assert.equal(rotateSealingKeys(dataDir).dropped, 1)
  assert.equal(boxOf(dataDir).open(first, 'a'), null)
})

test('a damaged file is an error, never new keys, and a rotation that was cut off is told', () => {
  const dataDir = newFolder()
  writeFileSync(sealingKeysFileOf(dataDir), 'abc')
  assert.throws(() => loadSealingKeys(dataDir), /is damaged/)
  assert.throws(() => rotateSealingKeys(dataDir), /is damaged/)
  assert.equal(readFileSync(sealingKeysFileOf(dataDir), 'utf8'), 'abc')
  const other = newFolder()
  loadSealingKeys(other)
  writeFileSync(`${sealingKeysFileOf(other)}.new`, '')
  assert.throws(() => rotateSealingKeys(other), /Remove it/)
})
