/** The laws of the `Embedder` port as a suite. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Embedder, EmbedRequest } from './embedder.ts'
import { type ModelAttempt, type ModelCall, ModelError } from './model.ts'

export type EmbedderSubject = {
  readonly embedder: Embedder
  readonly model: string
  /** A length that the model can make, and is not its own. */
  readonly otherDimensions: number
  close(): Promise<void>
}

export function embedderContract(name: string, open: () => Promise<EmbedderSubject>): void {
  const law = (sentence: string, hold: (subject: EmbedderSubject, request: EmbedRequest) => Promise<void>) =>
    it(sentence, async () => {
      const subject = await open()
      try {
        const inputs = ['the red fox', 'a blue whale', 'the red fox']
        await hold(subject, { model: subject.model, inputs, dimensions: null, user: null })
      } finally {
        await subject.close()
      }
    })
  const live = () => ({ signal: new AbortController().signal })

  describe(`embedder contract: ${name}`, () => {
    law('gives one vector for each input, in order, all of one length', async ({ embedder }, request) => {
      const { vectors, usage } = await embedder.embed(request, live())
      assert.equal(vectors.length, 3)
      assert.equal(new Set(vectors.map((vector) => vector.length)).size, 1)
      assert.ok(vectors.flat().every(Number.isFinite))
      assert.deepEqual(vectors[0], vectors[2])
      assert.notDeepEqual(vectors[0], vectors[1])
      assert.ok(usage === null || usage.input_tokens > 0)
      const again = await embedder.embed(request, live())
      assert.deepEqual(again.vectors, vectors)
    })

    law('makes the length it is asked for', async ({ embedder, otherDimensions }, request) => {
      const { vectors } = await embedder.embed({ ...request, dimensions: otherDimensions }, live())
      assert.ok(vectors.every((vector) => vector.length === otherDimensions))
    })

    law('takes tokens', async ({ embedder }, request) => {
      const { vectors } = await embedder.embed({ ...request, inputs: [[1, 2, 3], [4]] }, live())
      assert.equal(vectors.length, 2)
    })

    law('tells of a call before it is made and when it ended', async ({ embedder, model }, request) => {
      const told: (ModelCall | ModelAttempt)[] = []
      const tell = (one: ModelCall | ModelAttempt) => void told.push(one)
      const { usage } = await embedder.embed(request, { ...live(), onCall: tell, onAttempt: tell })
      const [call, attempt, ...more] = told
      assert.deepEqual(more, [])
      assert.ok(call && attempt && 'outcome' in attempt && !('outcome' in call))
      assert.equal(call.model, model)
      assert.equal(attempt.provider, call.provider)
      assert.equal(attempt.outcome, 'completed')
      assert.deepEqual(attempt.usage, usage)
    })

    law('ends with an abort, and tells that too', async ({ embedder }, request) => {
      const attempts: ModelAttempt[] = []
      const signal = AbortSignal.abort()
      await assert.rejects(
        embedder.embed(request, { signal, onAttempt: (attempt) => attempts.push(attempt) }),
        (error) => error instanceof ModelError && error.kind === 'aborted',
      )
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['aborted'],
      )
    })
  })
}
