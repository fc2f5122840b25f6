import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../protocol/errors.ts'
import type { FunctionToolParam, ToolParam } from '../protocol/tools.ts'
import { refuseUncallable } from './tool-callers.ts'

const FUNCTION: FunctionToolParam = { type: 'function', name: 'f', allowed_callers: ['programmatic'] }
const refusedAt = (param: string) => (error: unknown) =>
  error instanceof ApiError && error.status === 400 && error.param === param

const UNCALLABLE: readonly (readonly [tool: ToolParam, at: string])[] = [
  [FUNCTION, 'tools[1].allowed_callers'],
  [{ type: 'apply_patch', allowed_callers: ['programmatic'] }, 'tools[1].allowed_callers'],
  [
    { type: 'namespace', name: 'n', description: 'Some.', tools: [{ ...FUNCTION, name: 'g' }] },
    'tools[1].tools[0].allowed_callers',
  ],
]
const DIRECT: ToolParam = { type: 'function', name: 'd', allowed_callers: ['programmatic', 'direct'] }

for (const [tool, at] of UNCALLABLE) {
  test(`a ${tool.type} that only programs may call is refused by its field where no program can be written`, () => {
    assert.throws(() => refuseUncallable([DIRECT, tool], 'tools'), refusedAt(at))
    refuseUncallable([{ type: 'programmatic_tool_calling' }, tool], 'tools')
  })
}

test('a function that is called either way is taken', () => refuseUncallable([DIRECT], 'tools'))
