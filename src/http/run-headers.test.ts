import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHeaderValue, warningHeaders } from './run-headers.ts'

test('header values are printable ASCII whatever they are made of, and can be decoded', () => {
  for (const text of ['plain; text, "quoted"', 'a\r\nset-cookie: x', '100%', 'Ünïcode 😀', 'NUL \0 DEL \x7f']) {
    const value = toHeaderValue(text)
    assert.match(value, /^[\x20-\x7e]*$/)
    assert.equal(decodeURIComponent(value), text)
  }
  assert.match(toHeaderValue('lone \ud800'), /^lone %EF%BF%BD$/)
})

test('warnings fit their limit, and those that do not are counted', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `warning number ${i}`)
  const value = warningHeaders(many, 4_096)['x-antiphon-warnings'] ?? ''
  assert.ok(value.length <= 4_096 && value.length > 3_900)
  assert.match(value, /^warning number 0; warning number 1; .*; \(\+\d+ more\)$/)
  assert.deepEqual(warningHeaders([], 4_096), {})
  assert.deepEqual(warningHeaders(['x'.repeat(5_000)], 4_096), { 'x-antiphon-warnings': '(+1 more)' })
})
