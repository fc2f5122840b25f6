/** Whatever an upstream does, its caller gets the stated end, in time, and nothing is left behind. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestServer } from '../support/server.ts'
import { checkFaultMatrix } from './fault-matrix.ts'
import { HOSTILE_FAULTS } from './hostile-faults.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { startFastServer } from './upstream-fixture.ts'

let upstream: HostileUpstream
let server: TestServer
before(async () => {
  upstream = await startHostileUpstream()
  server = await startFastServer(upstream)
})
after(async () => {
  await upstream.close()
  await server.close()
})

test('every fault of an upstream has its stated end, in every mode', (t) =>
  checkFaultMatrix(t, { server, upstream, provider: 'upstream', faults: HOSTILE_FAULTS }))

test('after all of that nothing of any prototype has changed', () => {
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})
