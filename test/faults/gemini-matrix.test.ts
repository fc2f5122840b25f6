/** Whatever the Gemini API does, its caller gets the stated end, in time, and nothing is left behind. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadTokenizer } from '../../src/lib/tokenizer.ts'
import type { TestServer } from '../support/server.ts'
import { checkFaultMatrix } from './fault-matrix.ts'
import { GEMINI_FAULTS } from './gemini-faults.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { startFastServer } from './upstream-fixture.ts'

let upstream: HostileUpstream
let server: TestServer
before(async () => {
  // It takes its time, once, and the clocks of what runs meanwhile would go on.
  await loadTokenizer()
  upstream = await startHostileUpstream({
    play: (model) => GEMINI_FAULTS[model.split('~', 1)[0] ?? '']?.play ?? null,
  })
  const apiBase = `http://127.0.0.1:${upstream.port}/v1beta`
  server = await startFastServer(upstream, [`gemini: { api_base: "${apiBase}", api_key: upstream-secret-key }`])
})
after(async () => {
  await upstream.close()
  await server.close()
})

test('every fault of a Gemini API has its stated end, in every mode', (t) =>
  checkFaultMatrix(t, { server, upstream, provider: 'gemini', faults: GEMINI_FAULTS }))

test('after all of that nothing of any prototype has changed', () => {
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})
