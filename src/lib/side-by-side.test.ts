import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sideBySide } from './side-by-side.ts'

const live = () => new AbortController().signal

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

/** Says its name, waits, and says it again. */
const speaker = (name: string, gate: Promise<unknown>) =>
  async function* () {
    yield `${name} begins`
    await gate
    yield `${name} ends`
  }

test('what any of them yields comes when it is there, whoever began first', async () => {
  const slow = Promise.withResolvers<void>()
  const quick = async function* () {
    yield 'b begins'
    yield 'b ends'
    slow.resolve()
  }
  const said = await collect(sideBySide([speaker('a', slow.promise), quick], { limit: 2, signal: live() }))
  assert.deepEqual(said, ['a begins', 'b begins', 'b ends', 'a ends'])
})

test('no more of them are at work than allowed', async () => {
  let working = 0
  let most = 0
  const worker = async function* () {
    working += 1
    most = Math.max(most, working)
    await new Promise(setImmediate)
    yield working
    working -= 1
  }
  await collect(sideBySide(new Array(7).fill(worker), { limit: 3, signal: live() }))
  assert.equal(most, 3)
  assert.equal(working, 0)
})

test('an abort is thrown at once, also while one of them never ends', async () => {
  const controller = new AbortController()
  const never = async function* () {
    yield 'begins'
    await new Promise(() => {})
  }
  const reason = new Error('enough')
  const reading = collect(sideBySide([never, never], { limit: 2, signal: controller.signal }))
  setImmediate(() => controller.abort(reason))
  await assert.rejects(reading, reason)
})

test('where one of them throws, it is thrown, and the others are told to return', async () => {
  let returned = false
  const other = async function* () {
    try {
      for (;;) yield await new Promise(setImmediate)
    } finally {
      returned = true
    }
  }
  const broken = async function* () {
    yield await new Promise(setImmediate)
    throw new Error('broken')
  }
  await assert.rejects(collect(sideBySide<unknown>([other, broken], { limit: 2, signal: live() })), /broken/)
  await new Promise(setImmediate)
  assert.ok(returned)
})
