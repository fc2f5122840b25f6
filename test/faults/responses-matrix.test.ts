/** Whatever a Responses API does, its caller gets the stated end, in time, and nothing is left behind. */

import { testFaultMatrix } from './fault-matrix.ts'
import { RESPONSES_FAULTS } from './responses-faults.ts'

testFaultMatrix('a Responses API', {
  faults: RESPONSES_FAULTS,
  connection: { type: 'openai_compatible', path: '/v1', more: 'wire_api: responses' },
})
