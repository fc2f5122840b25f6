/** The simplest wrapper: a model that is asked another turn than the caller's, and answers as it does. */
import type { Model, ModelTurn } from './model.ts'

/** `rewrite` is pure and cheap: it runs for every use of the model. */
export function wrapTurns(inner: Model, rewrite: (turn: ModelTurn) => ModelTurn): Model {
  return {
    capabilities: inner.capabilities,
    fields: inner.fields,
    stream: (turn, context) => inner.stream(rewrite(turn), context),
    countInputTokens: (turn, context) => inner.countInputTokens(rewrite(turn), context),
    notCarried: (turn) => inner.notCarried?.(rewrite(turn)) ?? [],
  }
}
