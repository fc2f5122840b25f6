import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from './errors.ts'
import { validateCreateResponse } from './validate.ts'

const options = { unknownParams: 'warn', laterTools: 'refuse' } as const
const body = (tools: unknown[], more: object = {}) => ({ model: 'm', input: 'x', tools, ...more })
const PROGRAMS = { type: 'programmatic_tool_calling' }
const f = { type: 'function', name: 'f' }

test('a tool that nobody runs yet is refused by name', () => {
  assert.throws(
    () => validateCreateResponse(body([f, PROGRAMS]), options),
    (error: unknown) => error instanceof ApiError && error.status === 400 && error.param === 'tools[1].type',
  )
})

test('one that the model is told to use is refused all the same', () => {
  const told = body([PROGRAMS], { tool_choice: PROGRAMS })
  assert.throws(() => validateCreateResponse(told, { ...options, laterTools: 'leave-out' }), ApiError)
})

test('the operator may have all of them left out; each is reported', () => {
  const tools = [PROGRAMS, f, PROGRAMS]
  const { request, warnings } = validateCreateResponse(body(tools), { ...options, laterTools: 'leave-out' })
  assert.deepEqual(request.tools, [f])
  assert.equal(warnings.length, 2)
})

test('a value whose toString is none is no internal error, wherever it stands (req 14)', () => {
  const bad = { toString: null, valueOf: null }
  const strict = (schema: object) => body([{ ...f, strict: true, parameters: schema }])
  const object = { type: 'object', additionalProperties: false }
  for (const hostile of [
    body([{ ...f, type: bad }]),
    body([f], { tool_choice: bad }),
    body([f], { reasoning: { effort: bad } }),
    strict({ ...object, properties: {}, required: [bad] }),
    strict({ ...object, properties: { a: { $ref: bad } }, required: ['a'] }),
  ]) {
    for (const laterTools of ['refuse', 'leave-out'] as const) {
      try {
        validateCreateResponse(hostile, { ...options, laterTools })
      } catch (error) {
        assert.ok(error instanceof ApiError, String(error))
      }
    }
  }
})
