/** An engine for the laws: it plays one script for each run, with tools of every kind. */
import type { TurnItem } from '../../src/models/model.ts'
import type { CreateResponseRequest } from '../../src/protocol/request.ts'
import type { JobStore } from '../../src/store/job-store.ts'
import { createClientTools } from '../../src/tools/client/client-tools.ts'
import { createFunctionTool } from '../../src/tools/function/function-tool.ts'
import type { FinishedCall } from '../../src/tools/tool.ts'
import { CUSTOM_NAME, FUNCTION_NAME } from './arbitrary-stream.ts'
import { type EngineFixture, openEngine } from './engine-fixture.ts'
import { type Script, saying, scriptedModel } from './scripted-model.ts'
import {
  CODE_NAME,
  runCode,
  SEARCH_NAME,
  scriptedCodeTool,
  scriptedSearchTool,
  search,
  unsteady,
} from './scripted-tool.ts'

/** Everything that random streams may call, and everything that may be included of them. */
export const LAW_REQUEST: CreateResponseRequest = {
  model: 'scripted',
  input: 'Go on.',
  include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
  tools: [
    { type: 'function', name: FUNCTION_NAME, parameters: { type: 'object', properties: {} } },
    { type: 'custom', name: CUSTOM_NAME },
    { type: 'function', name: CODE_NAME },
    { type: 'function', name: SEARCH_NAME },
    { type: 'shell' },
    { type: 'apply_patch' },
    { type: 'tool_search' },
    { type: 'function', name: 'hidden', description: 'Found by a search.', defer_loading: true },
  ],
}

export type LawEngine = EngineFixture & {
  /** What the model says in the first turn of the next run; once tools have answered, it ends. */
  play(script: Script): void
  /** How its tools fare in the next run, by the order in which their calls begin; see `unsteady`. */
  fare(steps: readonly number[]): void
  /** Calls of its tools that were made, of all runs. */
  calls(): readonly FinishedCall[]
  /** What the store's queue is from now on; null: itself. */
  swapJobs(jobs: JobStore | null): void
}

export async function openLawEngine(): Promise<LawEngine> {
  let script: Script = { batches: [] }
  let steps: readonly number[] = []
  let begun = 0
  const next = () => steps[begun++ % steps.length] ?? 0
  const answering = scriptedModel([saying('Done', '.')])
  const isOutput = ({ type }: TurnItem) => type === 'function_call_output'
  let jobs: JobStore | null = null
  const code = scriptedCodeTool(unsteady(runCode, next))
  const found = scriptedSearchTool(unsteady(search, next))
  const fixture = await openEngine(
    {
      ...scriptedModel([]),
      stream: (turn, context) =>
        (turn.items.some(isOutput) ? answering : scriptedModel([script])).stream(turn, context),
    },
    {
      tools: [code, found, ...createClientTools(), createFunctionTool()],
      wrapStore: (store) => ({
        ...store,
        get jobs() {
          return jobs ?? store.jobs
        },
      }),
    },
  )
  return {
    ...fixture,
    play(next) {
      script = next
    },
    calls: () => [...code.calls, ...found.calls],
    swapJobs(next) {
      jobs = next
    },
    fare(next) {
      steps = next
      begun = 0
    },
  }
}
