import assert from 'node:assert/strict'
import test from 'node:test'
import { accept, refusal, refuse } from '../../test/support/request-bodies.ts'
import { validateCreateResponse } from './validate.ts'

test('unknown parameters are refused or reported, as the policy says (req 21)', () => {
  const body = { model: 'm', input: 'a', foo: 1, max_tokens: 5 }
  for (const unknownParams of ['warn', 'drop'] as const) {
    const { warnings } = validateCreateResponse(body, { unknownParams })
    assert.deepEqual(warnings, [
      'foo is unknown and was ignored',
      "max_tokens is unknown and was ignored; use 'max_output_tokens'",
    ])
  }
  const strict = (extra: object) =>
    refusal(() => validateCreateResponse({ model: 'm', input: 'a', ...extra }, { unknownParams: 'error' }))
  assert.deepEqual(strict({ foo: 1 }).toBody().error, {
    message: "Unknown parameter: 'foo'.",
    type: 'invalid_request_error',
    param: 'foo',
    code: 'unknown_parameter',
  })
  assert.match(strict({ messages: [] }).message, /this parameter has moved to 'input'/)
})

test('a misspelt parameter is told with the one that was meant (req 21)', () => {
  const typos = { temprature: 1, max_output_token: 5, 'Top-P': 1, [`model${'l'.repeat(100_000)}`]: 1 }
  const { warnings } = accept({ model: 'm', input: 'a', ...typos })
  assert.deepEqual(warnings.slice(0, 3), [
    "temprature is unknown and was ignored; did you mean 'temperature'?",
    "max_output_token is unknown and was ignored; did you mean 'max_output_tokens'?",
    "Top-P is unknown and was ignored; did you mean 'top_p'?",
  ])
  assert.match(warnings[3] ?? '', /^model+.{0,4} is unknown and was ignored$/)
  const refused = refusal(() =>
    validateCreateResponse({ model: 'm', input: 'a', temprature: 1 }, { unknownParams: 'error' }),
  )
  assert.equal(refused.message, "Unknown parameter: 'temprature'. Did you mean 'temperature'?")
})

test('warnings about unknown parameters are printable and bounded, whatever their names', () => {
  const names = Array.from({ length: 50 }, (_, index) => `\r\nset-cookie: ü${index}${'x'.repeat(500)}`)
  const { warnings } = accept({ model: 'm', input: 'a', ...Object.fromEntries(names.map((name) => [name, 1])) })
  assert.equal(warnings.length, 17)
  for (const warning of warnings) assert.match(warning, /^[\x20-\x7e]{1,200}$/)
})

test('stop is carried as a list (req 21)', () => {
  assert.deepEqual(accept({ model: 'm', input: 'a', stop: 'END' }).request.stop, ['END'])
  assert.deepEqual(accept({ model: 'm', input: 'a', stop: ['a', 'b'] }).request.stop, ['a', 'b'])
  assert.equal('stop' in accept({ model: 'm', input: 'a', stop: null }).request, false)
  assert.equal('stop' in accept({ model: 'm', input: 'a', stop: [] }).request, false)
  refuse(
    { model: 'm', input: 'a', stop: 5 },
    { param: 'stop', code: 'invalid_type', message: /a string or array of strings/ },
  )
  refuse({ model: 'm', input: 'a', stop: ['a', 'b', 'c', 'd', 'e'] }, { param: 'stop', code: 'array_above_max_length' })
})

test('the response_format of chat completions becomes text.format, with a warning (req 21)', () => {
  const schema = { type: 'object' }
  const { request, warnings } = accept({
    model: 'm',
    input: 'a',
    text: { verbosity: 'low' },
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: false } },
  })
  assert.deepEqual(request.text, {
    verbosity: 'low',
    format: { type: 'json_schema', name: 'n', schema, strict: false },
  })
  assert.deepEqual(warnings, ["response_format was taken as 'text.format'"])
  refuse(
    { model: 'm', input: 'a', response_format: { type: 'json_schema', json_schema: { name: 'n' } } },
    { param: 'response_format.json_schema.schema', code: 'missing_required_parameter' },
  )
})
