/** The fake is only worth something if it refuses what the real API refuses. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signatureOf } from './gemini-signature.ts'
import { startGeminiUpstream } from './gemini-upstream.ts'
import { validateGeminiRequest } from './gemini-validate.ts'

const MODEL = 'gemini-3-flash-preview'
const said = (...parts: readonly object[]) => ({ role: 'user', parts })
const answered = (...parts: readonly object[]) => ({ role: 'model', parts })
const hi = said({ text: 'Hi' })
const call = (name: string, id: string) => ({ functionCall: { id, name, args: {} } })
const signed = (part: object) => ({ ...part, thoughtSignature: signatureOf({ ...part }, '') })
const responded = (name: string, id: string) => ({ functionResponse: { id, name, response: { output: 'x' } } })
const declared = (schema?: object) => [
  { functionDeclarations: [{ name: 'f', ...(schema && { parametersJsonSchema: schema }) }] },
]
const choice = (functionCallingConfig: object) => ({ tools: declared(), toolConfig: { functionCallingConfig } })

const TAKEN: readonly (readonly [string, object])[] = [
  ['a text', { contents: [hi] }],
  ['a tool loop', { contents: [hi, answered(signed(call('f', '1'))), said(responded('f', '1'))] }],
  [
    'parallel calls of which the first is signed, and what the user says behind the responses',
    {
      contents: [
        hi,
        answered(signed(call('f', '1')), call('g', '2')),
        said(responded('f', '1'), responded('g', '2'), { text: 'Go on' }),
      ],
    },
  ],
  [
    'a call of an earlier turn without a signature',
    { contents: [hi, answered(call('f', '1')), said(responded('f', '1'), { text: 'And?' })] },
  ],
  [
    'the dummy signature',
    {
      contents: [
        hi,
        answered({ ...call('f', '1'), thoughtSignature: 'skip_thought_signature_validator' }),
        said(responded('f', '1')),
      ],
    },
  ],
  ['a choice', { contents: [hi], ...choice({ mode: 'ANY', allowedFunctionNames: ['f'] }) }],
]

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ['an unknown field', { contents: [hi], messages: [] }, /Unknown name "messages"/],
  ['an unknown setting', { contents: [hi], generationConfig: { max_tokens: 1 } }, /Unknown name "max_tokens"/],
  ['an unknown field of a part', { contents: [said({ text: 'x', type: 'text' })] }, /Unknown name "type"/],
  ['a null', { contents: [hi], generationConfig: { temperature: null } }, /null/],
  ['no contents', { contents: [] }, /contents is not specified/],
  ['a content without parts', { contents: [said()] }, /must not be empty/],
  ['an empty text', { contents: [said({ text: '' })] }, /empty text/],
  ['a model that begins', { contents: [answered({ text: 'x' })] }, /alternate/],
  ['a role twice', { contents: [hi, hi] }, /alternate/],
  ['a role of others', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
  [
    'a call without a response',
    { contents: [hi, answered(signed(call('f', '1'))), hi] },
    /number of function response parts/,
  ],
  ['a call at the end', { contents: [hi, answered(signed(call('f', '1')))] }, /number of function response parts/],
  ['a response without a call', { contents: [said(responded('f', '1'))] }, /number of function response parts/],
  [
    'a response by another name',
    { contents: [hi, answered(signed(call('f', '1'))), said(responded('g', '1'))] },
    /names and ids/,
  ],
  [
    'responses in another order',
    {
      contents: [hi, answered(signed(call('f', '1')), call('g', '2')), said(responded('g', '2'), responded('f', '1'))],
    },
    /names and ids/,
  ],
  [
    'a text before the responses',
    { contents: [hi, answered(signed(call('f', '1'))), said({ text: 'x' }, responded('f', '1'))] },
    /come first/,
  ],
  [
    'a call of this turn without a signature',
    { contents: [hi, answered(call('f', '1')), said(responded('f', '1'))] },
    /missing a `thought_signature`/,
  ],
  [
    'a signature of another part',
    {
      contents: [
        hi,
        answered({ ...call('f', '1'), thoughtSignature: signatureOf(call('g', '1'), '') }),
        said(responded('f', '1')),
      ],
    },
    /signature is not valid/,
  ],
  [
    'an office document',
    { contents: [said({ inlineData: { mimeType: 'application/msword', data: 'AAAA' } })] },
    /Unsupported MIME type/,
  ],
  ['data that is no base64', { contents: [said({ inlineData: { mimeType: 'image/png', data: 'data:x' } })] }, /Base64/],
  [
    'a keyword of JSON Schema it does not know',
    { contents: [hi], tools: declared({ type: 'string', pattern: 'a' }) },
    /Unknown keyword "pattern"/,
  ],
  [
    'a neighbour of a reference',
    { contents: [hi], tools: declared({ $ref: '#/$defs/a', title: 't' }) },
    /beside \$ref/,
  ],
  ['a choice without tools', { contents: [hi], toolConfig: {} }, /without tools/],
  [
    'names beside AUTO',
    { contents: [hi], ...choice({ mode: 'AUTO', allowedFunctionNames: ['f'] }) },
    /ANY or VALIDATED/,
  ],
  [
    'names that are not declared',
    { contents: [hi], ...choice({ mode: 'ANY', allowedFunctionNames: ['g'] }) },
    /must be names/,
  ],
  [
    'a level and a budget',
    { contents: [hi], generationConfig: { thinkingConfig: { thinkingLevel: 'low', thinkingBudget: 1 } } },
    /only one of/,
  ],
  ['a schema without its type', { contents: [hi], generationConfig: { responseJsonSchema: {} } }, /MIME type/],
]

describe('the fake Gemini API', () => {
  for (const [title, body] of TAKEN) it(`takes ${title}`, () => assert.equal(validateGeminiRequest(body, MODEL), null))
  for (const [title, body, message] of REFUSED) {
    it(`refuses ${title}`, () => {
      const refused = validateGeminiRequest(body, MODEL)
      assert.equal(refused?.status, 400)
      assert.match(refused?.message ?? '', message)
    })
  }

  it('knows what its older models do not', () => {
    const json = { responseMimeType: 'application/json' }
    const body = { contents: [hi], tools: declared(), generationConfig: json }
    assert.equal(validateGeminiRequest(body, MODEL), null)
    assert.match(validateGeminiRequest(body, 'gemini-2.5-flash')?.message ?? '', /is unsupported/)
    const level = { contents: [hi], generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } }
    assert.match(validateGeminiRequest(level, 'gemini-2.5-flash')?.message ?? '', /not supported for this model/)
  })

  it('wants its key in the header, and refuses one in the URL', async () => {
    const upstream = await startGeminiUpstream({ apiKey: 'k' })
    const ask = async (query: string, headers: Record<string, string> = {}) => {
      const url = `${upstream.url}/models/${MODEL}:streamGenerateContent?alt=sse${query}`
      const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ contents: [hi] }) })
      return { status: reply.status, text: await reply.text() }
    }
    try {
      assert.match((await ask('', { 'x-goog-api-key': 'wrong' })).text, /API_KEY_INVALID/)
      assert.match((await ask('&key=k')).text, /stands in the URL/)
      const { status, text } = await ask('', { 'x-goog-api-key': 'k' })
      assert.equal(status, 200)
      assert.match(text, /^data: \{"candidates".*"finishReason":"STOP"/s)
    } finally {
      await upstream.close()
    }
  })
})
