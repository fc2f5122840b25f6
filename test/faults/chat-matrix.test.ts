/** Whatever a Chat Completions API does, its caller gets the stated end, in time, and nothing is left behind. */
import { CHAT_FAULTS } from './chat-faults.ts'
import { testFaultMatrix } from './fault-matrix.ts'

testFaultMatrix('a Chat Completions API', {
  faults: CHAT_FAULTS,
  connection: { type: 'openai_compatible', path: '/v1' },
})
