/** Whatever an Anthropic API does, its caller gets the stated end, in time, and nothing is left behind. */
import { ANTHROPIC_FAULTS } from './anthropic-faults.ts'
import { testFaultMatrix } from './fault-matrix.ts'

testFaultMatrix('an Anthropic API', { faults: ANTHROPIC_FAULTS, connection: { type: 'anthropic', path: '/v1' } })
