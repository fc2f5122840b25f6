/** `logprobs.content` of a chunk; `bytes` is filled in where a vendor leaves it out. */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, asNumber, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

const utf8 = new TextEncoder()

export function readLogprobs(choice: Fields): readonly Logprob[] {
  const logprobs = asFields(choice.logprobs)
  if (!logprobs) return []
  return [...asList(logprobs.content), ...asList(logprobs.refusal)].flatMap((entry) => {
    const token = readToken(entry)
    if (!token) return []
    const top = asList(asFields(entry)?.top_logprobs).flatMap((alternative) => readToken(alternative) ?? [])
    return [{ ...token, top_logprobs: top }]
  })
}

function readToken(entry: unknown): Omit<Logprob, 'top_logprobs'> | null {
  const fields = asFields(entry)
  const logprob = asNumber(fields?.logprob)
  if (!fields || typeof fields.token !== 'string' || logprob === null) return null
  const bytes = Array.isArray(fields.bytes) ? fields.bytes.filter((byte) => Number.isInteger(byte)) : null
  return { token: storable(fields.token), logprob, bytes: bytes ?? [...utf8.encode(fields.token)] }
}
