import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../lib/clock.ts'
import { embedderContract } from '../embedder.contract.ts'
import { ModelError } from '../model.ts'
import { createDemoEmbedder, DEMO_DIMENSIONS, DEMO_EMBEDDER } from './demo-embedder.ts'

const embedder = createDemoEmbedder({ clock: systemClock })
const context = { signal: new AbortController().signal }
const embed = async (inputs: readonly (string | readonly number[])[], dimensions: number | null = null) =>
  (await embedder.embed({ model: DEMO_EMBEDDER, inputs, dimensions, user: null }, context)).vectors
const dot = (a: readonly number[] = [], b: readonly number[] = []) =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

embedderContract('demo', async () => ({ embedder, model: DEMO_EMBEDDER, otherDimensions: 64, close: async () => {} }))

test('vectors have length 1, and texts that share words lie nearer than texts that do not', async () => {
  const [cat, cats, invoice, empty] = await embed([
    'The cat sat on the mat.',
    'Cats were sitting on mats',
    'Invoice 4711 is due in March',
    '...',
  ])
  assert.equal(cat?.length, DEMO_DIMENSIONS)
  for (const vector of [cat, cats, invoice, empty]) assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-9)
  assert.ok(dot(cat, cats) > dot(cat, invoice) + 0.1, `${dot(cat, cats)} ${dot(cat, invoice)}`)
})

test('case, accents written in two ways and punctuation make no difference', async () => {
  const [a, b] = await embed(['CAF\u00c9, now!', 'cafe\u0301 now'])
  assert.deepEqual(a, b)
})

test('what it cannot make or take is refused by name', async () => {
  const refused = (kind: string, param: string) => (error: unknown) =>
    error instanceof ModelError && error.kind === kind && error.param === param
  await assert.rejects(embed(['x'], 257), refused('invalid_request', 'dimensions'))
  await assert.rejects(embed(['word '.repeat(9_000)]), refused('context_length', 'input'))
})
