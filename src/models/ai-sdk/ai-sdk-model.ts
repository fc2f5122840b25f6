/** The `Model` over any language model of the AI SDK's provider specification. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Clock } from '../../lib/clock.ts'
import type { UpstreamClocks } from '../../lib/upstream-http.ts'
import type { ModelCapabilities } from '../model.ts'
import { isAsked } from '../turn-fields.ts'
import type { AdapterModel } from '../upstream/adapter-options.ts'
import { notCarriedOf } from '../upstream/not-carried.ts'
import type { BridgeFetch } from './bridge-fetch.ts'
import { countCallTokens } from './count-tokens.ts'
import { dialectOf } from './dialect.ts'
import { encodeCall } from './encode-call.ts'
import { streamParts } from './stream-parts.ts'

export type AiSdkModelOptions = {
  /** The name of the connection, for errors and the ledger. */
  readonly provider: string
  readonly packageName: string
  /** Texts that must not come out in messages and ids. */
  readonly secrets: readonly string[]
  /** The operator's own headers. */
  readonly headers: Readonly<Record<string, string>>
  readonly capabilities: ModelCapabilities
  /** The `fetch` of it is the one the package was made with. */
  readonly bridge: BridgeFetch
  readonly clock: Clock
  readonly clocks: UpstreamClocks
  model(name: string): LanguageModelV4
}

export function createAiSdkModel(options: AiSdkModelOptions): AdapterModel {
  const dialect = dialectOf(options.packageName)
  const streaming = { ...options, dialect }
  return {
    capabilities: options.capabilities,
    fields: dialect.fields,
    stream: (turn, context) => streamParts(streaming, turn, context),
    /** An estimate by the `o200k_base` tokenizer. */
    countInputTokens: async (turn) => countCallTokens(encodeCall(turn, dialect)),
    notCarried(turn) {
      // Throws for a file that no package has a form for.
      if (isAsked('input.file', turn)) encodeCall(turn, dialect)
      return notCarriedOf(dialect.fields, turn)
    },
    // Connections belong to the pool of the `fetch`.
    close: async () => {},
  }
}
