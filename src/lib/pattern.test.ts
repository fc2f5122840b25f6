import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cpuMs } from '../../test/support/cpu-time.ts'
import { compilePattern } from './pattern.ts'

const PATTERNS = [
  '^[A-Z]{3}-\\d{4}$',
  '^\\d{3}-\\d{2}-\\d{4}$',
  '^#(?:[0-9a-fA-F]{3}){1,2}$',
  '^(foo|bar|baz)+$',
  '^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$',
  '^\\+?[1-9]\\d{1,14}$',
  '^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d]{8,}$',
  '^(?!0)\\d+$',
  'abc',
  '^\\w+( \\w+)*$',
  '^\\p{Lu}\\p{Ll}+$',
  '^[\\u0041-\\x5a]+\\.json$',
  '^\\/[a-z0-9_-]*$',
  '^(?<year>\\d{4})-(?<month>0[1-9]|1[0-2])$',
  '\\bword\\b',
  '^$',
  '^.{5,10}$',
  '^[\\]\\[-]+$',
]

test('a sample matches its pattern, as the platform judges it', () => {
  for (const source of PATTERNS) {
    const sample = compilePattern(source)?.sample()
    assert.equal(typeof sample, 'string', source)
    assert.match(sample ?? '', new RegExp(source, 'u'), source)
  }
})

test('a sample keeps inside the asked lengths', () => {
  for (const [source, min, max] of [
    ['^[a-z]+$', 20, 20],
    ['^[a-z ]*$', 0, 0],
    ['^\\d{2,}$', 7, 9],
    ['abc', 10, 12],
    ['^(ab)+$', 6, 7],
  ] as const) {
    const sample = compilePattern(source)?.sample(min, max) ?? ''
    assert.ok(sample.length >= min && sample.length <= max, `${source}: ${sample}`)
    assert.match(sample, new RegExp(source, 'u'))
  }
})

test('matching agrees with the platform', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.stringMatching(/^[a-z0-9@. -]{0,12}$/),
    fc.constantFrom('foobar', 'AB1cdefgh', 'word', 'a word!', 'ABC-1234'),
  )
  fc.assert(
    fc.property(fc.constantFrom(...PATTERNS), text, (source, value) => {
      assert.equal(compilePattern(source)?.matches(value), new RegExp(source, 'u').test(value))
    }),
    { numRuns: 3000 },
  )
})

test('ends of a match from one place are counted like a string is', () => {
  assert.deepEqual([...(compilePattern('a+')?.endsFrom('xaab', 1) ?? [])], [2, 3])
  assert.deepEqual([...(compilePattern('.')?.endsFrom('🎉a', 0) ?? [])], [2])
  assert.deepEqual([...(compilePattern('a')?.endsFrom('ba', 0) ?? [])], [])
})

test('what is not covered is null, not wrong', () => {
  for (const source of ['(a)\\1', '(?<=a)b', '(', '[', 'a{2', '*', 'x'.repeat(5000)]) {
    assert.equal(compilePattern(source), null, source)
  }
})

test('a pattern built to backtrack is answered at once', () => {
  const started = cpuMs()
  assert.equal(compilePattern('^(a+)+$')?.matches(`${'a'.repeat(4000)}!`), false)
  compilePattern('^(((a*)*)*)*b$')?.matches('a'.repeat(4000))
  compilePattern('^((a{1000}){1000}){1000}$')?.sample()
  assert.ok(cpuMs() - started < 10_000)
})
