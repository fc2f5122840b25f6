/**
 * A whole language model of a few hundred kilobytes, written byte by byte in the GGUF format: what it says is chosen by
 * the test. Every token has one successor, so a greedy reply is the chain that begins at the end of the prompt; where a
 * grammar forbids the successor, it says whatever the grammar lets it.
 *
 * How: attention and feed-forward are all zeros, so what reaches the output layer is the last token's own embedding, a
 * fixed random code of +1 and -1. The output row of a token is the sum of the codes of the tokens it follows.
 */

const EMBEDDING = 128
const FEED_FORWARD = 64
const HEADS = 4
/** Logits of the right successor are so far above the others that sampling at usual temperatures finds it too. */
const OUTPUT_SCALE = 0.5
const ALIGNMENT = 32

/** Kinds of values in the metadata, as the format numbers them. */
const KIND = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const
const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const
const F32 = 0

const CHATML_TEMPLATE =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

export const END = '<|im_end|>'
/** The last token of every prompt. */
export const PROMPT_END = '\n'

export type TinyGgufOptions = {
  /** Token -> the one that follows it. Tokens that are not in the vocabulary yet become part of it, in one piece. */
  readonly chain: readonly (readonly [string, string])[]
  /** Tokens; what the model says of itself. */
  readonly contextLength?: number
  /** Null: none. */
  readonly template?: string | null
  /** `mean`: a model of embeddings. */
  readonly pooling?: 'none' | 'mean'
  readonly name?: string
}

/** The links of one reply: from the end of the prompt over each of the pieces to the end. */
export function replyChain(...pieces: readonly string[]): readonly (readonly [string, string])[] {
  return pieces.map((piece, index): readonly [string, string] => [
    index === 0 ? PROMPT_END : (pieces[index - 1] ?? ''),
    piece,
  ])
}

type Vocabulary = {
  readonly texts: readonly string[]
  readonly types: readonly number[]
  readonly scores: readonly number[]
}

export function tinyGguf(options: TinyGgufOptions): Uint8Array {
  const vocabulary = makeVocabulary(options.chain.flat())
  const metadata = makeMetadata(options, vocabulary)
  const tensors = makeTensors(options, vocabulary)
  return writeGguf(metadata, tensors)
}

const SPECIAL = ['<unk>', '<s>', '</s>', '<|im_start|>', END]
/** Words that prompts are full of are one token each, so that counts of tokens are near those of real models. */
const WORDS = ['word', 'user', 'system', 'assistant', 'the', 'hello']

function makeVocabulary(pieces: readonly string[]): Vocabulary {
  const texts: string[] = []
  const types: number[] = []
  const scores: number[] = []
  const add = (text: string, type: number, score: number) => {
    if (texts.includes(text)) return
    texts.push(text)
    types.push(type)
    scores.push(score)
  }
  for (const text of SPECIAL) add(text, text === '<unk>' ? TOKEN.unknown : TOKEN.control, 0)
  for (let byte = 0; byte < 256; byte += 1) {
    add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, TOKEN.byte, 0)
  }
  add('▁', TOKEN.normal, -1)
  for (let code = 0x21; code < 0x7f; code += 1) add(String.fromCharCode(code), TOKEN.normal, -1000 - code)
  // A word is found by joining letters one after the other, so every beginning of it is a token too.
  for (const word of WORDS) {
    for (const whole of [`▁${word}`, word]) {
      for (let end = 2; end <= whole.length; end += 1) add(whole.slice(0, end), TOKEN.normal, -100 + end)
    }
  }
  // Pieces that a test gives stand in the vocabulary as they are, also when they are part of another.
  for (const piece of pieces) if (piece !== PROMPT_END) add(piece, TOKEN.userDefined, 0)
  return { texts, types, scores }
}

const tokenOf = ({ texts }: Vocabulary, piece: string) => texts.indexOf(piece === PROMPT_END ? '<0x0A>' : piece)

type Value =
  | { readonly kind: 'uint32' | 'int32' | 'float32'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'array'; readonly of: 'int32' | 'float32'; readonly value: readonly number[] }
  | { readonly kind: 'array'; readonly of: 'string'; readonly value: readonly string[] }

const uint = (value: number): Value => ({ kind: 'uint32', value })
const string = (value: string): Value => ({ kind: 'string', value })

function makeMetadata(options: TinyGgufOptions, { texts, types, scores }: Vocabulary): Map<string, Value> {
  const { contextLength = 4096, template = CHATML_TEMPLATE, pooling = 'none', name = 'tiny' } = options
  return new Map<string, Value>([
    ['general.architecture', string('llama')],
    ['general.name', string(name)],
    ['general.alignment', uint(ALIGNMENT)],
    ['llama.context_length', uint(contextLength)],
    ['llama.embedding_length', uint(EMBEDDING)],
    ['llama.block_count', uint(1)],
    ['llama.feed_forward_length', uint(FEED_FORWARD)],
    ['llama.attention.head_count', uint(HEADS)],
    ['llama.attention.head_count_kv', uint(HEADS)],
    ['llama.rope.dimension_count', uint(EMBEDDING / HEADS)],
    ['llama.attention.layer_norm_rms_epsilon', { kind: 'float32', value: 1e-5 }],
    ...(pooling === 'mean' ? [['llama.pooling_type', uint(1)] as const] : []),
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.tokens', { kind: 'array', of: 'string', value: texts }],
    ['tokenizer.ggml.scores', { kind: 'array', of: 'float32', value: scores }],
    ['tokenizer.ggml.token_type', { kind: 'array', of: 'int32', value: types }],
    ['tokenizer.ggml.unknown_token_id', uint(texts.indexOf('<unk>'))],
    ['tokenizer.ggml.bos_token_id', uint(texts.indexOf('<s>'))],
    ['tokenizer.ggml.eos_token_id', uint(texts.indexOf(END))],
    ['tokenizer.ggml.add_bos_token', { kind: 'bool', value: true }],
    ['tokenizer.ggml.add_space_prefix', { kind: 'bool', value: false }],
    ...(template === null ? [] : [['tokenizer.chat_template', string(template)] as const]),
  ])
}

type Tensor = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }

function makeTensors({ chain }: TinyGgufOptions, vocabulary: Vocabulary): Tensor[] {
  const size = vocabulary.texts.length
  const codes = randomCodes(size)
  const output = new Float32Array(size * EMBEDDING)
  for (const [from, to] of chain) {
    const [source, target] = [tokenOf(vocabulary, from), tokenOf(vocabulary, to)]
    for (let at = 0; at < EMBEDDING; at += 1) {
      const index = target * EMBEDDING + at
      output[index] = (output[index] ?? 0) + OUTPUT_SCALE * (codes[source * EMBEDDING + at] ?? 0)
    }
  }
  const zeros = (name: string, ...shape: number[]): Tensor => ({
    name,
    shape,
    values: new Float32Array(shape.reduce((product, length) => product * length, 1)),
  })
  const ones = (name: string): Tensor => ({ name, shape: [EMBEDDING], values: new Float32Array(EMBEDDING).fill(1) })
  return [
    { name: 'token_embd.weight', shape: [EMBEDDING, size], values: codes },
    ones('output_norm.weight'),
    { name: 'output.weight', shape: [EMBEDDING, size], values: output },
    ones('blk.0.attn_norm.weight'),
    ...['q', 'k', 'v', 'output'].map((part) => zeros(`blk.0.attn_${part}.weight`, EMBEDDING, EMBEDDING)),
    ones('blk.0.ffn_norm.weight'),
    zeros('blk.0.ffn_gate.weight', EMBEDDING, FEED_FORWARD),
    zeros('blk.0.ffn_up.weight', EMBEDDING, FEED_FORWARD),
    zeros('blk.0.ffn_down.weight', FEED_FORWARD, EMBEDDING),
  ]
}

/** The same on every run: a linear congruential generator, of which the highest bit is taken. */
function randomCodes(count: number): Float32Array {
  const codes = new Float32Array(count * EMBEDDING)
  let state = 12345
  for (let at = 0; at < codes.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    codes[at] = state >= 2 ** 31 ? 1 : -1
  }
  return codes
}

function writeGguf(metadata: ReadonlyMap<string, Value>, tensors: readonly Tensor[]): Uint8Array {
  const head: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.size)]
  for (const [key, value] of metadata) head.push(text(key), u32(KIND[value.kind]), ...encode(value))
  let offset = 0
  for (const { name, shape, values } of tensors) {
    head.push(text(name), u32(shape.length), ...shape.map(u64), u32(F32), u64(offset))
    offset += padded(values.byteLength)
  }
  const start = Buffer.concat(head)
  const body = tensors.map(({ values }) => pad(Buffer.from(values.buffer, values.byteOffset, values.byteLength)))
  return Buffer.concat([pad(start), ...body])
}

function encode(value: Value): Buffer[] {
  if (value.kind === 'string') return [text(value.value)]
  if (value.kind === 'bool') return [Buffer.from([value.value ? 1 : 0])]
  if (value.kind !== 'array') return [number(value.kind, value.value)]
  const { of } = value
  const items = of === 'string' ? value.value.map(text) : value.value.map((item) => number(of, item))
  return [u32(KIND[of]), u64(value.value.length), ...items]
}

function number(kind: 'uint32' | 'int32' | 'float32', value: number): Buffer {
  const buffer = Buffer.alloc(4)
  if (kind === 'float32') buffer.writeFloatLE(value)
  else if (kind === 'int32') buffer.writeInt32LE(value)
  else buffer.writeUInt32LE(value)
  return buffer
}

const u32 = (value: number) => number('uint32', value)

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

const padded = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
const pad = (buffer: Buffer) => Buffer.concat([buffer, Buffer.alloc(padded(buffer.length) - buffer.length)])
