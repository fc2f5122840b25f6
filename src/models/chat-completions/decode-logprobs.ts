/** `logprobs.content` of a chunk. */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, type Fields } from '../upstream/fields.ts'
import { readLogprobList } from '../upstream/read-logprobs.ts'

export function readLogprobs(choice: Fields): readonly Logprob[] {
  const logprobs = asFields(choice.logprobs)
  return logprobs ? readLogprobList([...asList(logprobs.content), ...asList(logprobs.refusal)]) : []
}
