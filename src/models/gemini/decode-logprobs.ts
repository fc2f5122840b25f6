/** `logprobsResult` of a candidate: the chosen tokens in one list, the likeliest of each place in another. */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, type Fields } from '../upstream/fields.ts'
import { readLogprobList } from '../upstream/read-logprobs.ts'

export function readLogprobs(candidate: Fields): readonly Logprob[] {
  const result = asFields(candidate.logprobsResult)
  if (!result) return []
  const top = asList(result.topCandidates)
  const tokens = asList(result.chosenCandidates).map((chosen, index) => ({
    ...toToken(chosen),
    top_logprobs: asList(asFields(top[index])?.candidates).map(toToken),
  }))
  return readLogprobList(tokens)
}

const toToken = (entry: unknown) => {
  const fields = asFields(entry)
  return { token: fields?.token, logprob: fields?.logProbability }
}
