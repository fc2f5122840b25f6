/** What adapters share to guess a request's input tokens where the provider does not count them. */
import { loadTokenizer } from '../../lib/tokenizer.ts'

export type CountText = (text: string) => number

/** Counts in OpenAI's `o200k_base`; most models of others are within 10 to 20 %. */
export async function openTextCounter(): Promise<CountText> {
  const tokenizer = await loadTokenizer()
  return (text) => (text === '' ? 0 : tokenizer.count(text))
}

/** The frame around each message, and the one that opens the reply, as OpenAI writes them. */
export const TOKENS_PER_MESSAGE = 3
export const TOKENS_FOR_REPLY = 3

const TOKENS_PER_IMAGE = 765
const TOKENS_PER_LOW_IMAGE = 85

/** Flat: OpenAI's price of a 1024 x 1024 image in high and in low detail. */
export const imageTokens = (detail: unknown): number => (detail === 'low' ? TOKENS_PER_LOW_IMAGE : TOKENS_PER_IMAGE)

const BASE64_CHARS_PER_TOKEN = 8

/** By the size of its base64: one token per 6 bytes, which are 8 characters. */
export const fileTokens = (base64: string): number => Math.ceil(base64.length / BASE64_CHARS_PER_TOKEN)
