/** Models whose calls are kept, and are not made again when they were. */
import type { ModelCatalog, ResolvedModel } from '../models/catalog.ts'
import type { Model, ModelBatch, ModelContext, ModelEvent, ModelTurn } from '../models/model.ts'
import type { Journal } from './journal.ts'

export const journalModels = (catalog: ModelCatalog, journal: Journal): ModelCatalog => ({
  ...catalog,
  async resolve(name) {
    const resolved = await catalog.resolve(name)
    if (resolved === null) return null
    const { choose } = resolved
    return {
      ...withModel(resolved, journal),
      ...(choose && { choose: (turn: ModelTurn) => withModel(choose(turn), journal) }),
    }
  },
})

const withModel = <R extends Pick<ResolvedModel, 'model'>>(resolved: R, journal: Journal): R => ({
  ...resolved,
  model: { ...resolved.model, stream: (turn, context) => stream(resolved.model, journal, { turn, context }) },
})

type Call = { readonly turn: ModelTurn; readonly context: ModelContext }

async function* stream(model: Model, journal: Journal, { turn, context }: Call): AsyncGenerator<ModelBatch> {
  const before = journal.nextModel()
  if (before !== null) {
    yield before
    return
  }
  await journal.begin(context.signal, 'turn')
  const events: ModelEvent[] = []
  for await (const batch of model.stream(turn, context)) {
    events.push(...batch)
    yield batch
  }
  await journal.keep({ type: 'model', events })
}
