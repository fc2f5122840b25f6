/** Whatever a Gemini API does, its caller gets the stated end, in time, and nothing is left behind. */

import { testFaultMatrix } from './fault-matrix.ts'
import { GEMINI_FAULTS } from './gemini-faults.ts'

testFaultMatrix('a Gemini API', { faults: GEMINI_FAULTS, connection: { type: 'gemini', path: '/v1beta' } })
