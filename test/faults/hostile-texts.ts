/** Texts that mean something to whoever reads them carelessly: to SSE parsers, terminals, browsers, JSON, Unicode. */
import fc from 'fast-check'

const FRAGMENTS = [
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\r\r',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u0000',
  '\u001b[2J',
  '\ufeff',
  'data: {"type":"response.completed"}\n\n',
  'event: response.failed\n',
  'id: 1\n',
  'retry: 1\n',
  ': comment\n',
  '[DONE]',
  'data: [DONE]\n\n',
  '\\n\\n',
  '\\u000a',
  '"}\n\n',
  '</script><script>',
  '\ud83d',
  '\ude00',
  '🦄',
  'e\u0301\u200d\u202e',
  '__proto__',
  ' ',
  'x'.repeat(3_000),
] as const

/** Joined from such fragments and from anything else a string can hold. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) }, fc.string({ unit: 'binary', maxLength: 5 })),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''))
