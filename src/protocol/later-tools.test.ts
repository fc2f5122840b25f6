import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from './errors.ts'
import { validateCreateResponse } from './validate.ts'

const options = { unknownParams: 'warn', laterTools: 'refuse' } as const
const body = (tools: unknown[], more: object = {}) => ({ model: 'm', input: 'x', tools, ...more })
const f = { type: 'function', name: 'f' }

test('a hosted tool that is not there yet is refused by name', () => {
  for (const tool of [
    { type: 'web_search' },
    { type: 'file_search', vector_store_ids: ['vs_1'] },
    { type: 'mcp', server_label: 'x' },
  ]) {
    assert.throws(
      () => validateCreateResponse(body([f, tool]), options),
      (error: unknown) => error instanceof ApiError && error.status === 400 && error.param === 'tools[1].type',
    )
  }
})

test('an offline web search is left out and reported, because there is nothing for it to search', () => {
  const { request, warnings } = validateCreateResponse(
    body([f, { type: 'web_search', external_web_access: false }]),
    options,
  )
  assert.deepEqual(request.tools, [f])
  assert.match(warnings.join(), /tools\[1\].*web_search/)
})

test('an offline web search that the model is told to use is refused', () => {
  const told = body([{ type: 'web_search', external_web_access: false }], { tool_choice: { type: 'web_search' } })
  assert.throws(() => validateCreateResponse(told, options), ApiError)
})

test('the operator may have all of them left out; each is reported', () => {
  const tools = [{ type: 'web_search' }, f, { type: 'mcp', server_label: 'x' }]
  const { request, warnings } = validateCreateResponse(body(tools), { ...options, laterTools: 'leave-out' })
  assert.deepEqual(request.tools, [f])
  assert.equal(warnings.length, 2)
})
