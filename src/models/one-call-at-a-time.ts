/** `parallel_tool_calls: false` for a provider that does not take it: calls after the first are left out. */
import type { Model, ModelBatch, ModelEvent, ModelTurn } from './model.ts'
import { paramOf } from './turn-fields.ts'

const FIELD = 'parallel_tool_calls'

export function oneCallAtATime(inner: Model): Model {
  return {
    capabilities: inner.capabilities,
    fields: { ...inner.fields, [FIELD]: 'emulated' },
    countInputTokens: (turn, context) => inner.countInputTokens(turn, context),
    notCarried: (turn) => (inner.notCarried?.(turn) ?? []).filter(({ param }) => param !== paramOf(FIELD)),
    stream(turn, context) {
      const stream = inner.stream(turn, context)
      return asksForOne(turn) ? firstCallOnly(stream) : stream
    },
  }
}

const asksForOne = (turn: ModelTurn) => !turn.parallelToolCalls && turn.tools.length > 0

async function* firstCallOnly(stream: AsyncIterable<ModelBatch>): AsyncGenerator<ModelBatch> {
  let first: string | null = null
  const isLeftOut = (event: ModelEvent) => {
    if (event.type === 'call-start') first ??= event.id
    return event.type.startsWith('call-') && 'id' in event && event.id !== first
  }
  for await (const batch of stream) {
    const out = batch.filter((event) => !isLeftOut(event))
    if (out.length > 0) yield out
  }
}
