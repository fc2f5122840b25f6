/** Log probabilities as the vendors list them; `bytes` is filled in where one leaves it out. */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, asNumber } from './fields.ts'
import { storable } from './surrogates.ts'

const utf8 = new TextEncoder()

export const readLogprobList = (list: readonly unknown[]): readonly Logprob[] =>
  list.flatMap((entry) => {
    const token = readToken(entry)
    if (!token) return []
    const top = asList(asFields(entry)?.top_logprobs).flatMap((alternative) => readToken(alternative) ?? [])
    return [{ ...token, top_logprobs: top }]
  })

function readToken(entry: unknown): Omit<Logprob, 'top_logprobs'> | null {
  const fields = asFields(entry)
  const logprob = asNumber(fields?.logprob)
  if (!fields || typeof fields.token !== 'string' || logprob === null) return null
  const bytes = Array.isArray(fields.bytes) ? fields.bytes.filter((byte) => Number.isInteger(byte)) : null
  return { token: storable(fields.token), logprob, bytes: bytes ?? [...utf8.encode(fields.token)] }
}
