/**
 * What packages read and do not tell: of the chunks of Chat Completions and of the events of Responses, the refusals
 * (told as text), the log probabilities (told at the end, without their text) and where a citation stands.
 */
import type { Logprob } from '../../protocol/content.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { readLogprobList } from '../upstream/read-logprobs.ts'

export interface RawReader {
  read(raw: unknown): void
  /** Whether this text is a refusal that a chunk before it held. */
  isRefusal(delta: string): boolean
  /** Where the chunk before said that this address is cited. */
  rangeOf(url: string): { readonly start: number | undefined; readonly end: number | undefined }
  /** Those of the text that comes next. */
  takeLogprobs(): readonly Logprob[]
}

const NONE: readonly Logprob[] = []

export function createRawReader({ logprobs: asked }: { readonly logprobs: boolean }): RawReader {
  let refusals: readonly string[] = []
  let citations: readonly Fields[] = []
  let logprobs: readonly Logprob[] = NONE
  return {
    read(raw) {
      const chunk = asFields(raw)
      if (!chunk) return
      const choice = asFields(asList(chunk.choices)[0])
      const refusal = asText(asFields(choice?.delta)?.refusal) ?? refusalOf(chunk.type, chunk.delta)
      refusals = refusal === null ? [] : [refusal]
      citations = asList(asFields(choice?.delta)?.annotations).flatMap(readCitation)
      if (!asked) return
      const list = asList(choice ? asFields(choice.logprobs)?.content : chunk.logprobs)
      if (list.length > 0) logprobs = [...logprobs, ...readLogprobList(list)]
    },
    isRefusal(delta) {
      const [next] = refusals
      if (next !== delta) return false
      refusals = []
      return true
    },
    rangeOf(url) {
      const citation = citations.find((it) => it.url === url)
      return { start: asNumber(citation?.start_index) ?? undefined, end: asNumber(citation?.end_index) ?? undefined }
    },
    takeLogprobs() {
      const taken = logprobs
      logprobs = NONE
      return taken
    },
  }
}

const readCitation = (annotation: unknown): readonly Fields[] => {
  const citation = asFields(asFields(annotation)?.url_citation)
  return citation ? [citation] : []
}

const refusalOf = (type: unknown, delta: unknown) => (type === 'response.refusal.delta' ? asText(delta) : null)
