/** The laws of the `Reranker` port as a suite; every adapter runs it against a server that scripts its replies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ModelAttempt, ModelError } from './model.ts'
import type { Reranker } from './reranker.ts'

/** What the far side does with the next call. */
export type RerankScript =
  | { readonly type: 'scores'; readonly scores: readonly number[] }
  | { readonly type: 'leaves-out'; readonly indexes: readonly number[] }
  | { readonly type: 'raw'; readonly status: number; readonly body: string }
  | { readonly type: 'hangs' }
  | { readonly type: 'cuts' }

export type OpenedReranker = {
  readonly reranker: Reranker
  script(next: RerankScript): void
  close(): Promise<void>
}

const REQUEST = { query: 'when do herons nest', documents: ['one', 'two', 'three'] }

export function rerankerContract(name: string, open: () => Promise<OpenedReranker>): void {
  const law = (sentence: string, hold: (opened: OpenedReranker) => Promise<void>) =>
    test(`${name}: ${sentence}`, async () => {
      const opened = await open()
      try {
        await hold(opened)
      } finally {
        await opened.close()
      }
    })
  const ask = async ({ reranker }: OpenedReranker, signal = new AbortController().signal) => {
    const attempts: ModelAttempt[] = []
    const result = await reranker
      .rerank(REQUEST, { signal, onAttempt: (attempt) => attempts.push(attempt) })
      .catch((error) => error)
    return { result, outcomes: attempts.map(({ outcome }) => outcome) }
  }

  law('texts come best first with the scores they were given, also below 0 and above 1', async (opened) => {
    opened.script({ type: 'scores', scores: [-3, 7.5, 0.25] })
    const { result, outcomes } = await ask(opened)
    assert.deepEqual(result, [
      { index: 1, score: 7.5 },
      { index: 2, score: 0.25 },
      { index: 0, score: -3 },
    ])
    assert.deepEqual(outcomes, ['completed'])
  })

  law('what the model leaves out has no score', async (opened) => {
    opened.script({ type: 'leaves-out', indexes: [1] })
    const { result } = await ask(opened)
    assert.deepEqual(result.map(({ index }: { index: number }) => index).sort(), [0, 2])
  })

  for (const body of [
    'no json',
    '[]',
    '{}',
    '{"results": 1}',
    '{"results": [{"index": 3, "relevance_score": 1}]}',
    '{"results": [{"index": -1, "relevance_score": 1}]}',
    '{"results": [{"index": 0.5, "relevance_score": 1}]}',
    '{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}',
    '{"results": [{"index": 0, "relevance_score": "high"}]}',
    '{"results": [{"index": 0, "relevance_score": 1e999}]}',
    '{"results": [null]}',
  ]) {
    law(`a reply that means nothing is a failure: ${body}`, async (opened) => {
      opened.script({ type: 'raw', status: 200, body })
      const { result, outcomes } = await ask(opened)
      assert.ok(result instanceof ModelError, String(result))
      assert.equal(result.kind, 'malformed')
      assert.deepEqual(outcomes, ['failed'])
    })
  }

  for (const script of [
    { type: 'raw', status: 500, body: 'oops' },
    { type: 'raw', status: 401, body: '{"detail": "bad key sk-of-the-test-reranker"}' },
    { type: 'cuts' },
    { type: 'hangs' },
  ] as const) {
    law(
      `it fails by a thrown ModelError that tells no key: ${script.type} ${'status' in script ? script.status : ''}`,
      async (opened) => {
        opened.script(script)
        const { result, outcomes } = await ask(opened)
        assert.ok(result instanceof ModelError, String(result))
        assert.ok(!result.message.includes('sk-of-the-test-reranker'))
        assert.deepEqual(outcomes, ['failed'])
      },
    )
  }

  law('an aborted call ends within a second', async (opened) => {
    opened.script({ type: 'hangs' })
    const abort = new AbortController()
    const begun = performance.now()
    setTimeout(() => abort.abort(new Error('nobody waits')), 20)
    const { result, outcomes } = await ask(opened, abort.signal)
    assert.ok(result instanceof ModelError && result.kind === 'aborted', String(result))
    assert.ok(performance.now() - begun < 1_000)
    assert.deepEqual(outcomes, ['aborted'])
  })
}
