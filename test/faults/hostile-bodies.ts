/** Request bodies made to hurt, with the statuses that may answer them. */
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'

export type HostileBody = {
  readonly name: string
  readonly body: Buffer
  readonly statuses: readonly number[]
  readonly encoding?: string
}

const MIB = 1024 * 1024
const nested = (open: string, close: string, depth: number) =>
  `{"model":"m","input":${open.repeat(depth)}1${close.repeat(depth)}}`
const list = (count: number, item: (index: number) => string) => Array.from({ length: count }, (_, i) => item(i)).join()
const spaces = () => Buffer.alloc(400 * MIB, ' ')

const PLAIN: Readonly<Record<string, readonly [text: string, ...statuses: number[]]>> = {
  'arrays 65 deep': [nested('[', ']', 65), 400],
  'arrays 100,000 deep': [nested('[', ']', 100_000), 400],
  'arrays 1,000,000 deep': [nested('[', ']', 1_000_000), 400],
  'objects 100,000 deep': [nested('{"a":', '}', 100_000), 400],
  'a million keys': [`{${list(1_000_000, (i) => `"k${i}":0`)}}`, 400],
  'a million items': [`{"model":"m","input":[${list(1_000_000, () => '1')}]}`, 400],
  'twenty thousand messages': [`{"model":"m","input":[${list(20_000, () => '{"role":"user","content":"x"}')}]}`, 400],
  'a thousand tools': [
    `{"model":"m","input":"x","tools":[${list(1_000, (i) => `{"type":"function","name":"f${i}","parameters":{}}`)}]}`,
    400,
  ],
  'a string of 50 MB': [`{"model":"m","input":"${'x'.repeat(50 * MIB)}"}`, 413],
  'a model name of 20 MB': [`{"input":"x","model":"${'x'.repeat(20 * MIB)}"}`, 400],
  '10 MB of escapes': [`{"model":"m","input":"${'\\u0000'.repeat(1_700_000)}"}`, 400],
  'a number out of range': ['{"model":"m","input":"x","temperature":1e400}', 400],
  'a number below range': ['{"model":"m","input":"x","temperature":-1e400}', 400],
  'a number of a million digits': [`{"model":"m","input":"x","top_logprobs":${'9'.repeat(1_000_000)}}`, 400],
  'not a number': ['{"model":"m","input":"x","temperature":NaN}', 400],
  'a polluting key': ['{"model":"m","input":"x","__proto__":{"polluted":true}}', 400],
  'a polluting key deep down': [
    '{"model":"m","input":[{"role":"user","content":"x","__proto__":{"polluted":1}}]}',
    400,
  ],
  'a polluting key in escapes': ['{"model":"m","input":"x","\\u005f_proto__":{"polluted":true}}', 400],
  'a lone surrogate': ['{"model":"m","input":"\\ud83d"}', 400],
  'a NUL': ['{"model":"m","input":"a\\u0000b"}', 400],
  'two documents': ['{"model":"m","input":"x"}{"model":"m"}', 400],
  nothing: ['', 400],
}

const raw = (name: string, body: Buffer, statuses: readonly number[], encoding?: string): HostileBody => ({
  name,
  body,
  statuses,
  ...(encoding !== undefined && { encoding }),
})

/** Built anew for each call, because together they are large. */
export function* hostileBodies(): Generator<HostileBody> {
  for (const [name, [text, ...statuses]] of Object.entries(PLAIN)) yield raw(name, Buffer.from(text), statuses)
  yield raw('UTF-16', Buffer.from('{"model":"m","input":"x"}', 'utf16le'), [400])
  yield raw('not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400])
  yield raw('a gzip bomb of 400 MB', gzipSync(spaces(), { level: 1 }), [413], 'gzip')
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }
  yield raw('a brotli bomb of 400 MB', brotliCompressSync(spaces(), quick), [413], 'br')
  yield raw('a zstd bomb of 400 MB', zstdCompressSync(spaces()), [413], 'zstd')
  yield raw('a bomb in a bomb', gzipSync(gzipSync(spaces(), { level: 1 })), [413], 'gzip, gzip')
  yield raw('too many encodings', gzipSync('{}'), [415], 'gzip, gzip, gzip, gzip')
  yield raw('an unknown encoding', Buffer.from('{}'), [415], 'compress')
  yield raw('gzip that is none', Buffer.from('{"model":"m"}'), [400], 'gzip')
  yield raw('gzip that breaks off', gzipSync('{"model":"m","input":"x"}').subarray(0, 20), [400], 'gzip')
}
