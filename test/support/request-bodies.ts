/** Request bodies that are taken or refused, for the tests of validation. */
import assert from 'node:assert/strict'
import { ApiError } from '../../src/protocol/errors.ts'
import { validateCreateResponse } from '../../src/protocol/validate.ts'

export const WARN = { unknownParams: 'warn' } as const
export const accept = (body: unknown) => validateCreateResponse(body, WARN)

export function refusal(check: () => unknown): ApiError {
  try {
    check()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  return assert.fail('expected a refusal')
}

type Expected = { readonly param: string | null; readonly code: string | null; readonly message?: string | RegExp }

/** The body is refused with 400, this path and this code. */
export function refuse(body: unknown, expected: Expected): void {
  const error = refusal(() => accept(body))
  const told = `${error.param} ${error.code} ${error.message}`
  assert.equal(error.status, 400, told)
  assert.equal(error.param, expected.param, told)
  assert.equal(error.code, expected.code, told)
  if (typeof expected.message === 'string') assert.equal(error.message, expected.message)
  if (expected.message instanceof RegExp) assert.match(error.message, expected.message)
}

/** A request with one user message of this content. */
export const user = (content: unknown) => ({ model: 'm', input: [{ role: 'user', content }] })
export const FUNCTION = { type: 'function', name: 'f', parameters: { type: 'object', properties: {} } }
