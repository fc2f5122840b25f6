import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assistantMessage, response } from '../store-fixtures.contract.ts'
import { decodeResponse, encodeResponse } from './response-codec.ts'

/** Written by the first version. If a change to the codec breaks this test, databases in the field need a migration. */
const STORED = '{"completed_at":1750000001,"model":"demo","usage":null,"metadata":{"session":"abc"}}'

const row = (body: string, output: string | null = null) => ({
  id: 'resp_1',
  created_at: 1_750_000_000,
  status: 'completed' as const,
  previous_response_id: null,
  body,
  output,
})

test('a body stored by an older version reads as it was meant', () => {
  const meant = response('resp_1', { output: [], usage: null, metadata: { session: 'abc' } })
  assert.deepEqual(decodeResponse(row(STORED)), meant)
  assert.equal(encodeResponse(meant), STORED)
})

test('each field survives when it has another value than the usual one', () => {
  const plain = response('resp_1', { output: [assistantMessage('msg_1', 'hello')] })
  for (const name of Object.keys(plain)) {
    if (['id', 'created_at', 'status', 'previous_response_id', 'output'].includes(name)) continue
    const changed = { ...plain, [name]: name === 'output_text' ? 'other' : { unusual: [name] } }
    assert.deepEqual(decodeResponse(row(encodeResponse(changed), JSON.stringify(plain.output[0]))), changed)
  }
})

test('what is read back shares nothing with what is read next', () => {
  const first = decodeResponse(row(STORED))
  first.tools.push({ type: 'function', name: 'f', description: null, parameters: {}, strict: false })
  assert.deepEqual(decodeResponse(row(STORED)).tools, [])
})
