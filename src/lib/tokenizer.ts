/**
 * The tokenizer of the o200k vocabulary. Loaded on first use, because its tables take a quarter of a second to load
 * and most processes never count a token themselves.
 */

export interface Tokenizer {
  /** Token ids. Text that looks like a control token (`<|endoftext|>`) is ordinary text. */
  encode(text: string): number[]
  decode(tokens: readonly number[]): string
  count(text: string): number
  /** The text cut at token boundaries. A character spread over several tokens stays in one piece. */
  pieces(text: string): TokenPiece[]
}

export type TokenPiece = { readonly text: string; readonly tokens: number }

/** Longest run without a natural boundary that is merged as one word; merging is quadratic in its length. */
const MAX_WORD_CHARS = 256
/** What one match takes: the engine keeps a place to come back to for each character, and has room for so many. */
const MAX_MATCHED_CHARS = 65_536
const LONG_WORD = new RegExp(
  ['[\\p{L}\\p{M}]', '[^\\s\\p{L}\\p{N}]', '\\s']
    .map((kind) => `${kind}{${MAX_WORD_CHARS + 1},${MAX_MATCHED_CHARS}}`)
    .join('|'),
  'gu',
)
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

let loading: Promise<Tokenizer> | undefined

/** The same tokenizer every time; rejects only when the package cannot be loaded. */
export function loadTokenizer(): Promise<Tokenizer> {
  loading ??= import('gpt-tokenizer/encoding/o200k_base').then(toTokenizer)
  return loading
}

/** Tokens of `text`: about 3 million a second once loaded. */
export async function countTokens(text: string): Promise<number> {
  return (await loadTokenizer()).count(text)
}

type Vocabulary = {
  encode(text: string, options: typeof PLAIN): number[]
  decode(tokens: Iterable<number>): string
  decodeGenerator(tokens: Iterable<number>): Iterable<string>
}

function toTokenizer(vocabulary: Vocabulary): Tokenizer {
  const encode = (text: string): number[] => {
    const chunks = cutLongWords(text)
    const [only] = chunks
    if (chunks.length === 1 && only !== undefined) return vocabulary.encode(only, PLAIN)
    const tokens: number[] = []
    for (const chunk of chunks) for (const token of vocabulary.encode(chunk, PLAIN)) tokens.push(token)
    return tokens
  }
  return {
    encode,
    decode: (tokens) => vocabulary.decode(tokens),
    count: (text) => encode(text).length,
    pieces(text) {
      const tokens = encode(text)
      const pieces = cutAtTokens(tokens, vocabulary)
      return pieces.map((piece) => piece.text).join('') === text ? pieces : cutEvenly(text, tokens.length)
    },
  }
}

/** Invariant: the library's decoder is shared and keeps half characters, so its generator is always read to its end. */
function cutAtTokens(tokens: readonly number[], vocabulary: Vocabulary): TokenPiece[] {
  let pulled = 0
  let counted = 0
  function* pull() {
    for (const token of tokens) {
      pulled++
      yield token
    }
  }
  const pieces: TokenPiece[] = []
  for (const text of vocabulary.decodeGenerator(pull())) {
    pieces.push({ text, tokens: pulled - counted })
    counted = pulled
  }
  return pieces
}

/** For text that does not survive UTF-8 (lone surrogates, a leading byte order mark): the bytes stay, the cuts are guessed. */
function cutEvenly(text: string, tokens: number): TokenPiece[] {
  const characters = [...text]
  return characters.map((character, index) => ({
    text: character,
    tokens: Math.floor(((index + 1) * tokens) / characters.length) - Math.floor((index * tokens) / characters.length),
  }))
}

function cutLongWords(text: string): string[] {
  if (text.length <= MAX_WORD_CHARS) return [text]
  const chunks: string[] = []
  let from = 0
  for (const match of text.matchAll(LONG_WORD)) {
    const end = match.index + match[0].length
    for (let at = match.index + MAX_WORD_CHARS; at < end; at += MAX_WORD_CHARS) {
      const cut = isLowSurrogate(text, at) ? at - 1 : at
      chunks.push(text.slice(from, cut))
      from = cut
    }
  }
  chunks.push(text.slice(from))
  return chunks
}

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00
