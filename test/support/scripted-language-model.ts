/** A language model of the AI SDK's specification whose stream is a list of parts: a package without a network. */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'

export type ScriptedParts = {
  readonly parts: readonly LanguageModelV4StreamPart[]
  /** After the parts: the stream ends, fails with this error, or nothing more comes. */
  readonly after?: { readonly error: unknown } | 'hang'
  /** Thrown instead of a stream. */
  readonly refuse?: unknown
  /** Never answers, and does not heed the abort either. */
  readonly deaf?: boolean
}

export interface ScriptedLanguageModel extends LanguageModelV4 {
  readonly calls: LanguageModelV4CallOptions[]
}

export function createScriptedLanguageModel({ parts, after, refuse, deaf }: ScriptedParts): ScriptedLanguageModel {
  const calls: LanguageModelV4CallOptions[] = []
  return {
    specificationVersion: 'v4',
    provider: 'scripted.chat',
    modelId: 'scripted',
    supportedUrls: {},
    calls,
    doGenerate: () => Promise.reject(new Error('Only streams are asked for.')),
    async doStream(options) {
      calls.push(options)
      if (refuse !== undefined) throw refuse
      if (deaf) await new Promise(() => {})
      let at = 0
      const stream = new ReadableStream<LanguageModelV4StreamPart>({
        pull(controller) {
          const part = parts[at++]
          if (part) controller.enqueue(part)
          else if (after === undefined) controller.close()
          else if (after !== 'hang') controller.error(after.error)
          return after === 'hang' && !part ? new Promise(() => {}) : undefined
        },
      })
      return { stream }
    },
  }
}
