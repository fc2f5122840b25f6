import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Compile } from 'typebox/schema'
import { compileCheck } from './compile-check.ts'
import { ApiError } from './errors.ts'
import { findInvalid } from './explain-invalid.ts'
import { CreateResponseSchema } from './request.ts'
import { validateCreateResponse } from './validate.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Step = string | number

const FUNCTION: Json = { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: null }
const BASES: readonly Json[] = [
  { model: 'm', input: 'hi', temperature: 0.5, metadata: { a: 'b' }, include: ['reasoning.encrypted_content'] },
  {
    model: 'm',
    input: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'a' },
          { type: 'input_image', image_url: 'https://a.b/c' },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 's' }], content: null },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_file', file_id: 'file-1' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b', annotations: [] }] },
      { id: 'msg_1' },
      { type: 'additional_tools', role: 'developer', tools: [{ type: 'custom', name: 'c', format: { type: 'text' } }] },
    ],
    tools: [FUNCTION, { type: 'namespace', name: 'n', tools: [FUNCTION] }],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
    text: { format: { type: 'json_schema', name: 'n', schema: {} }, verbosity: 'low' },
    reasoning: { effort: 'low', summary: null },
    stream: true,
    stream_options: { include_obfuscation: false },
  },
  {
    input: [{ type: 'custom_tool_call', call_id: 'c', name: 'n', input: 'x' }],
    previous_response_id: 'resp_1',
    stop: 'x',
  },
]

const isContainer = (value: Json | undefined): value is Json[] | { [key: string]: Json } =>
  typeof value === 'object' && value !== null

function pathsOf(value: Json, path: readonly Step[] = []): (readonly Step[])[] {
  if (!isContainer(value)) return [path]
  const steps: [Step, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...steps.flatMap(([step, child]) => pathsOf(child, [...path, step]))]
}

/** The value with the place at `path` replaced, or removed where the replacement is undefined. */
function put(value: Json, [step, ...rest]: readonly Step[], replacement: Json | undefined): Json | undefined {
  if (step === undefined) return replacement
  if (!isContainer(value) || (Array.isArray(value) && value[Number(step)] === undefined)) return value
  const index = Number(step)
  if (Array.isArray(value)) {
    const child = put(value[index] ?? null, rest, replacement)
    return child === undefined ? value.toSpliced(index, 1) : value.with(index, child)
  }
  const { [String(step)]: old = null, ...others } = value
  const child = put(old, rest, replacement)
  return child === undefined ? others : { ...others, [step]: child }
}

const arbitraryValue: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<Json>(null, true, 0, -1, 1.5, 99, '', 'x', 'x'.repeat(70), [], {}, [1], { a: 1 }, [[]], 'message'),
  fc.constantFrom<Json>(
    { type: 'function' },
    { type: 'mcp' },
    { type: 7 },
    { id: 'a' },
    [{ type: 'reasoning' }],
    'auto',
  ),
  fc.jsonValue({ maxDepth: 2 }).map((value): Json => JSON.parse(JSON.stringify(value))),
)
const mutated = fc
  .record({
    base: fc.constantFrom(...BASES),
    mutations: fc.array(
      fc.record({ at: fc.nat(), value: arbitraryValue, key: fc.option(fc.constantFrom('type', 'role', 'x')) }),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  })
  .map(({ base, mutations }) =>
    mutations.reduce<Json>((body, { at, value, key }) => {
      const paths = pathsOf(body).slice(1)
      const path = paths[at % Math.max(paths.length, 1)] ?? []
      return put(body, key === null ? path : [...path, key], value) ?? body
    }, base),
  )

const steps = (param: string): Step[] =>
  [...param.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  )

/** Whether the path exists in the body, or is a field that an existing object lacks. */
function isNamed(body: Json, param: string): boolean {
  const path = steps(param)
  let at: Json | undefined = body
  for (const [index, step] of path.entries()) {
    if (!isContainer(at)) return false
    const next: Json | undefined = Array.isArray(at) ? at[Number(step)] : at[String(step)]
    if (next === undefined) return index === path.length - 1 && !Array.isArray(at)
    at = next
  }
  return path.length > 0
}

const check = Compile(CreateResponseSchema)
const ownCheck = compileCheck(CreateResponseSchema)

test('our check and the one of TypeBox say the same', () => {
  fc.assert(
    fc.property(fc.oneof(mutated, fc.jsonValue()), (body) => {
      assert.equal(ownCheck(body), check.Check(body))
    }),
    { numRuns: 5_000 },
  )
})

test('the explanation finds something exactly when the compiled check refuses (req 6, 14)', () => {
  fc.assert(
    fc.property(mutated, (body) => {
      assert.equal(findInvalid(CreateResponseSchema, body, {}) === null, check.Check(body))
    }),
    { numRuns: 3_000 },
  )
})

test('whatever the body, the refusal is a 400 that names a place in it (req 14)', () => {
  let refused = 0
  let named = 0
  fc.assert(
    fc.property(mutated, (body) => {
      try {
        validateCreateResponse(body, { unknownParams: 'error' })
      } catch (error) {
        assert.ok(error instanceof ApiError, String(error))
        assert.equal(error.status, 400)
        assert.doesNotMatch(error.message, /does not fit the schema/)
        refused++
        if (error.param !== null && isNamed(body, error.param)) named++
      }
    }),
    { numRuns: 3_000 },
  )
  assert.ok(refused > 500, `only ${refused} refusals`)
  assert.ok(named / refused >= 0.95, `${named} of ${refused} refusals name a place in the body`)
})

test('any JSON at all is refused or accepted, never an internal error (req 14)', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      try {
        validateCreateResponse(body, { unknownParams: 'warn' })
      } catch (error) {
        assert.ok(error instanceof ApiError && error.status === 400, String(error))
      }
    }),
    { numRuns: 1_000 },
  )
})
