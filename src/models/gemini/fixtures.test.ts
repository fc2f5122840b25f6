import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openContractSubject } from '../../../test/fakes/contract-subject.ts'
import {
  decodeGeminiWire,
  type GeminiFixture,
  geminiCompleteAt,
  geminiFixtureTurn,
  readGeminiFixtures,
  readGeminiWire,
} from '../../../test/fakes/gemini-fixtures.ts'
import { startGeminiUpstream } from '../../../test/fakes/gemini-upstream.ts'
import { ModelError, type ModelEvent } from '../model.ts'
import { replayContract } from '../replay.contract.ts'
import { createGeminiModel } from './gemini-model.ts'

replayContract<GeminiFixture>('gemini', {
  replies: readGeminiFixtures(),
  turn: geminiFixtureTurn,
  decode: decodeGeminiWire,
  completeAt: geminiCompleteAt,
  open: () => openContractSubject({ start: (script) => startGeminiUpstream({ script }), create: createGeminiModel }),
})

it('error-mid-stream: an error in a list ends the reply after what had come', () => {
  const out: ModelEvent[] = []
  assert.throws(
    () => decodeGeminiWire(readGeminiWire('error-mid-stream'), { logprobs: false }, out),
    (error: unknown) => error instanceof ModelError && error.kind === 'unavailable' && error.status === 503,
  )
  assert.deepEqual(
    out.map(({ type }) => type),
    ['text-start', 'text-delta'],
  )
})
