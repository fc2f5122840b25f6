/**
 * What a run with a job keeps of its steps, so that another process goes on where it was: the same plan is run again,
 * and whatever it asks of the outside that was answered before is answered the same.
 *
 * Everything a run takes from outside comes through four things: ids, seals, models and tools. Each is wrapped (see
 * `with-journal.ts`), and the loop itself knows nothing of it.
 *
 * Invariant: a call of a tool is on disk as started before it is sent (law 14). One that was started and of which nobody
 * knows how it ended is made again only when its tool says that this does no harm.
 */
import { hash } from 'node:crypto'
import type { SealedBox } from '../lib/sealed-box.ts'
import type { ModelEvent } from '../models/model.ts'
import type { CitableSource, PrepareStep, ToolContext, ToolOutcome, ToolStep } from '../tools/tool.ts'
import type { RunLog } from './run-log.ts'

/** `seals`, `cited`: what was made since the step before. */
export type Step = StepBody & { readonly seals?: readonly Seal[]; readonly cited?: readonly CitableSource[] }
type StepBody =
  | { readonly type: 'model'; readonly events: readonly ModelEvent[] }
  | { readonly type: 'prepared'; readonly index: number; readonly steps: readonly PrepareStep[] }
  | { readonly type: 'call-started'; readonly callId: string }
  | CallStep
  /** Seals alone. */
  | { readonly type: 'sealed' }
export type CallStep = {
  readonly type: 'call'
  readonly callId: string
  readonly steps: readonly ToolStep[]
  /** Null: the tool threw. */
  readonly outcome: ToolOutcome | null
}
export type KeptCall = {
  readonly step: CallStep
  readonly cited: readonly CitableSource[]
  /** Calls that ended before it have been told again. */
  readonly ready: Promise<void>
  /** It has been told again. */
  readonly done: () => void
}
/** What was sealed, as a digest, and what came of it: a seal is another one each time. */
type Seal = readonly [digest: string, sealed: string]

export interface Journal {
  /** The events of the next call of a model, as they were; null from the first that has to be made on. */
  nextModel(): readonly ModelEvent[] | null
  prepared(index: number): readonly PrepareStep[] | null
  /** `cited`: everything that was cited until this call had ended, by whichever call. */
  call(callId: string): KeptCall | null
  /** What a call that is made now gets in the place of its context: one object for one, as tools go by it. */
  watch(context: ToolContext): ToolContext
  wasStarted(callId: string): boolean
  /** A step that was not made before begins. Throws when the run is to be let go here. */
  begin(signal: AbortSignal, step: 'turn' | 'call'): Promise<void>
  keep(step: StepBody): Promise<void>
}

export type JournalParts = {
  readonly steps: readonly Step[]
  readonly log: Pick<RunLog, 'settle' | 'keep'>
  /** Everything that is kept has been told again: the run goes on with what was never done. */
  readonly onBegin: () => void
  /** The run may be let go here, once `settled` has come; it then aborts its signal. */
  readonly onPause: (settled: Promise<void>) => Promise<void>
}

export function createJournal({ steps, log, onBegin, onPause }: JournalParts, seals: Seals): Journal {
  const models = steps.flatMap((step) => (step.type === 'model' ? [step.events] : []))
  const prepared = new Map(steps.flatMap((step) => (step.type === 'prepared' ? [[step.index, step.steps]] : [])))
  const calls = callsOf(steps)
  const started = new Set(steps.flatMap((step) => (step.type === 'call-started' ? [step.callId] : [])))
  const watched = new WeakMap<ToolContext, ToolContext>()
  let cited: CitableSource[] = []
  /** Of the turn that was made last, some have begun. */
  let hasCalls = false
  /** Where the run may be let go: nobody begins a call beside before it is clear that it is not. */
  let gate = Promise.resolve()
  const pass = async () => {
    if (seals.hasNew()) await keep({ type: 'sealed' })
    await onPause(log.settle())
  }
  const keep = (body: StepBody) => {
    const step: Step = { ...body, seals: seals.take(), cited }
    cited = []
    return log.keep(JSON.stringify(step), { settles: body.type === 'model' })
  }
  return {
    nextModel() {
      hasCalls = false
      return models.shift() ?? null
    },
    prepared: (index) => prepared.get(index) ?? null,
    call(callId) {
      const kept = calls.get(callId) ?? null
      if (kept !== null) hasCalls = true
      return kept
    },
    wasStarted: (callId) => started.has(callId),
    watch(context) {
      const known = watched.get(context)
      if (known) return known
      const cite = (source: CitableSource) => {
        cited.push(source)
        return context.cite(source)
      }
      const watching = { ...context, cite }
      watched.set(context, watching)
      return watching
    },
    async begin(signal, step) {
      onBegin()
      signal.throwIfAborted()
      // Beside other calls nothing is settled: what they have told comes in another order the next time.
      const isBeside = step === 'call' && hasCalls
      hasCalls = step === 'call'
      if (!isBeside) gate = pass()
      await gate
      signal.throwIfAborted()
    },
    keep,
  }
}

/** They ran side by side, and are told again in the order in which they ended. */
function callsOf(steps: readonly Step[]): ReadonlyMap<string, KeptCall> {
  const cited: CitableSource[] = []
  const calls = new Map<string, KeptCall>()
  let ready = Promise.resolve()
  for (const step of steps) {
    cited.push(...(step.cited ?? []))
    if (step.type !== 'call') continue
    const { promise, resolve } = Promise.withResolvers<void>()
    calls.set(step.callId, { step, cited: [...cited], ready, done: () => resolve() })
    ready = promise
  }
  return calls
}

export type Seals = { readonly box: SealedBox; hasNew(): boolean; take(): readonly Seal[] }

export function createSeals(box: SealedBox, steps: readonly Step[]): Seals {
  const before = Map.groupBy(
    steps.flatMap(({ seals }) => seals ?? []),
    ([digest]) => digest,
  )
  let made: Seal[] = []
  return {
    box: {
      seal(text, context) {
        const digest = hash('sha256', `${context}\n${text}`, 'hex')
        const known = before.get(digest)?.shift()
        if (known !== undefined) return known[1]
        const sealed = box.seal(text, context)
        made.push([digest, sealed])
        return sealed
      },
      open: (sealed, context) => box.open(sealed, context),
    },
    hasNew: () => made.length > 0,
    take() {
      const all = made
      made = []
      return all
    },
  }
}
