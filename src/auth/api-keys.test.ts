import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestSecret, makeApiKey, parseApiKey } from './api-keys.ts'

test('a key has the documented form and is read back', () => {
  const { key, id, secret } = makeApiKey()
  assert.match(key, /^sk-antiphon-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/)
  assert.deepEqual(parseApiKey(key), { id, secret })
})

test('one changed character anywhere makes it no key', () => {
  const { key } = makeApiKey()
  for (let i = 0; i < key.length; i += 1) {
    const other = key[i] === 'x' ? 'y' : 'x'
    assert.equal(parseApiKey(`${key.slice(0, i)}${other}${key.slice(i + 1)}`), null, `at ${i}`)
  }
  for (const text of ['', 'sk-antiphon-', `${key}0`, ` ${key}`, 'sk-proj-abc']) assert.equal(parseApiKey(text), null)
})

test('keys differ, and every letter is equally likely', () => {
  const keys = Array.from({ length: 2_000 }, () => makeApiKey())
  assert.equal(new Set(keys.map(({ id }) => id)).size, keys.length)
  const counts = new Map<string, number>()
  for (const letter of keys.map(({ secret }) => secret).join('')) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  const expected = (2_000 * 43) / 62
  assert.equal(counts.size, 62)
  for (const count of counts.values())
    assert.ok(Math.abs(count - expected) < expected * 0.25, `${count} of ${expected}`)
})

test('a digest depends on the pepper and on the secret', () => {
  const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  assert.match(digestSecret(one, 'a'), /^[0-9a-f]{64}$/)
  assert.notEqual(digestSecret(one, 'a'), digestSecret(two, 'a'))
  assert.notEqual(digestSecret(one, 'a'), digestSecret(one, 'b'))
})
