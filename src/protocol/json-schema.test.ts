import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cpuMs } from '../../test/support/cpu-time.ts'
import { codePoints } from './json-schema.ts'

test('code points are counted as iteration counts them, lone surrogates included', () => {
  const unit = fc.constantFrom('a', 'é', '😀', '\ud83d', '\ude00', '日')
  fc.assert(fc.property(fc.string({ unit }), (text) => assert.equal(codePoints(text), [...text].length)))
})

test('a very long text is counted in no time', () => {
  const text: string = JSON.parse(`"${'x'.repeat(32 * 1024 * 1024)}"`)
  const began = cpuMs()
  assert.equal(codePoints(text), text.length)
  assert.ok(cpuMs() - began < 2_000)
})
