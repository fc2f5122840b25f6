import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../protocol/errors.ts'
import { createFunctionTool } from './function-tool.ts'

test('a function that only programs may call is refused by its field; one that is called either way is taken', () => {
  const tool = createFunctionTool()
  const declare = (allowed_callers: ('direct' | 'programmatic')[]) =>
    tool.declare({ type: 'function', name: 'f', allowed_callers }, 'tools[3]')
  assert.equal(declare(['programmatic', 'direct']).length, 1)
  assert.throws(
    () => declare(['programmatic']),
    (error: unknown) => error instanceof ApiError && error.status === 400 && error.param === 'tools[3].allowed_callers',
  )
})
