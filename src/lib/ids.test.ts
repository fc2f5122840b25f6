import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandomIds } from './ids.ts'

test('an id is its prefix and 48 hex digits, and none comes twice', () => {
  const ids = createRandomIds()
  const made = Array.from({ length: 5_000 }, () => ids.next('resp'))
  for (const id of made) assert.match(id, /^resp_[0-9a-f]{48}$/)
  assert.equal(new Set(made).size, made.length)
})

test('ids sort by the time they were made, also where the time gains a digit', () => {
  let now = 0
  const ids = createRandomIds({ now: () => now })
  const times = [0, 1, 0xfff, 0x1000, 1_800_000_000_000, 1_800_000_000_001, 0xffffffffffff]
  const made = times.map((ms) => {
    now = ms
    return ids.next('use')
  })
  assert.deepEqual(made.toSorted(), made)
})

test('ids of one millisecond share nothing but the time', () => {
  const ids = createRandomIds({ now: () => 1_800_000_000_000 })
  const rests = Array.from({ length: 1_000 }, () => ids.next('resp').slice('resp_'.length + 12))
  const zeros = [...rests.join('')].filter((digit) => digit === '0').length
  assert.ok(zeros > 1_500 && zeros < 3_000, `${zeros} zeros in 36,000 digits, of which a sixteenth is expected`)
  for (let place = 0; place < 36; place += 1) assert.equal(new Set(rests.map((rest) => rest[place])).size, 16)
})
