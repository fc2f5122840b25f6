/** `logprobsResult` of a candidate; it has no bytes, so they are filled in. */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, asNumber, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

const utf8 = new TextEncoder()

export function readLogprobs(candidate: Fields): readonly Logprob[] {
  const result = asFields(candidate.logprobsResult)
  if (!result) return []
  const top = asList(result.topCandidates)
  return asList(result.chosenCandidates).flatMap((entry, index) => {
    const token = readToken(entry)
    if (!token) return []
    const alternatives = asList(asFields(top[index])?.candidates).flatMap((other) => readToken(other) ?? [])
    return [{ ...token, top_logprobs: alternatives }]
  })
}

function readToken(entry: unknown): Omit<Logprob, 'top_logprobs'> | null {
  const fields = asFields(entry)
  const logprob = asNumber(fields?.logProbability)
  if (typeof fields?.token !== 'string' || logprob === null) return null
  return { token: storable(fields.token), logprob, bytes: [...utf8.encode(fields.token)] }
}
