/** Whatever lawful stream a model gives, what comes out of a wrapper around it keeps the laws too. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { arbitraryStream, CUSTOM_NAME, FUNCTION_NAME } from '../../test/support/arbitrary-stream.ts'
import {
  createManualClock,
  createScriptedModel,
  openContext,
  type ScriptedModel,
} from '../../test/support/decorated-models.ts'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import { customToolsAsFunctions } from './custom-tools-as-functions.ts'
import { createDeploymentHealth } from './deployment-health.ts'
import { createDeploymentLimits } from './deployment-limits.ts'
import { createDeploymentLoad } from './deployment-load.ts'
import { emulate } from './emulate.ts'
import { createIsolatedChecks } from './isolated-checks.ts'
import { type Model, ModelError, type ModelEvent, type ModelTurn } from './model.ts'
import { assertModelEvents, runModel } from './model-run.contract.ts'
import { oneCallAtATime } from './one-call-at-a-time.ts'
import { overrideFields } from './overridden-fields.ts'
import { ownReasoning } from './own-reasoning.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { createRetryBudget } from './retry-budget.ts'
import { retrying } from './retrying-model.ts'
import { routed } from './routed-model.ts'
import { stopSequences } from './stop-sequences.ts'
import { structuredOutput } from './structured-output.ts'
import { toolsByPrompt } from './tools-by-prompt.ts'

const checks = createIsolatedChecks({ clock: systemClock })
after(() => checks.close())
const ids = createCountingIds()
const clock = createManualClock()

const schema = { type: 'object', properties: {}, additionalProperties: true }
const STOPS = ['ab', 'e']
const turn: ModelTurn = {
  ...PLAIN_TURN,
  stop: STOPS,
  parallelToolCalls: false,
  tools: [
    { type: 'function', name: FUNCTION_NAME, description: null, parameters: schema, strict: true },
    {
      type: 'custom',
      name: CUSTOM_NAME,
      description: null,
      format: { type: 'grammar', syntax: 'lark', definition: 'start: /[^x]*/' },
    },
  ],
  text: { format: { type: 'json_schema', name: 'n', schema, strict: false }, verbosity: 'medium' },
}
const route = (model: Model) =>
  routed({
    clock,
    ids,
    strategy: 'least_busy',
    tiers: [
      [
        {
          model,
          provider: 'p',
          upstreamModel: 'm',
          weight: 1,
          health: createDeploymentHealth({ clock }),
          load: createDeploymentLoad(clock),
          limits: createDeploymentLimits({ rpm: 1_000_000, tpm: 1_000_000_000 }, clock),
        },
      ],
    ],
  })

const WRAPPERS: readonly (readonly [string, (inner: ScriptedModel) => Model])[] = [
  ['own reasoning', (inner) => ownReasoning(inner, 'p')],
  ['fields that are left out', (inner) => overrideFields(inner, { stop: 'ignored', top_p: 'refused' })],
  ['stop sequences', stopSequences],
  ['one call at a time', oneCallAtATime],
  ['tools in words', (inner) => toolsByPrompt(inner, { checks, ids })],
  ['custom tools as functions', (inner) => customToolsAsFunctions(inner, { checks, ids })],
  ['structured output', (inner) => structuredOutput(inner, { checks, ids })],
  ['retry', (inner) => retrying(inner, { clock, ids, budget: createRetryBudget({ clock }) })],
  ['routing', (inner) => route(inner)],
  [
    'all emulations together',
    (inner) => emulate(inner, { stop: 'emulated', parallel_tool_calls: 'emulated' }, { checks, ids }),
  ],
]
/** Of what a model gives before it fails. */
function isCut(script: readonly (readonly ModelEvent[] | ModelError)[]): boolean {
  const events = script.flatMap((batch) => (batch instanceof ModelError ? [] : batch))
  const text = events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('')
  return STOPS.some((stop) => text.includes(stop))
}
const NOTHING = { functionTools: false, customTools: false, structuredOutput: false, reasoning: false }

describe('a wrapper keeps the laws of a model', () => {
  for (const [name, wrap] of WRAPPERS) {
    it(`${name}: every reply is lawful or a ModelError after a lawful beginning`, async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryStream, arbitraryStream, async (first, second) => {
          const inner = createScriptedModel([first.batches, second.batches], NOTHING)
          const { events, error } = await runModel(wrap(inner), turn)
          if (error === null) assertModelEvents(events)
          else {
            assert.ok(error instanceof ModelError, String(error))
            assert.ok(!events.some(({ type }) => type === 'finish'))
          }
        }),
        { numRuns: 60 },
      )
    })

    it(`${name}: a failure of the model comes out as it is, whenever it happens`, async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryStream, fc.nat(20), async ({ batches }, at) => {
          const failure = new ModelError('malformed', 'broken')
          const script = [...batches.slice(0, Math.min(at, batches.length - 1)), failure]
          const { events, error } = await runModel(wrap(createScriptedModel([script], NOTHING)), turn)
          // A text that was cut at a stop sequence is over before its model fails, and then may not be what the format wants.
          if (error === null) assertModelEvents(events)
          else if (!isCut(script)) assert.equal(error, failure)
          else assert.ok(error instanceof ModelError, String(error))
        }),
        { numRuns: 40 },
      )
    })

    it(`${name}: the model's stream is closed when the reader leaves`, async () => {
      const text = Array.from(
        { length: 50 },
        (_, index) => ({ type: 'text-delta', id: 't', delta: `${index} ` }) as const,
      )
      const script = [[{ type: 'text-start', id: 't' } as const], ...text.map((event) => [event])]
      const inner = createScriptedModel([script], { functionTools: false })
      const stream = wrap(inner)
        .stream({ ...turn, text: PLAIN_TURN.text }, openContext())
        [Symbol.asyncIterator]()
      await stream.next()
      await stream.return?.()
      assert.equal(inner.left(), 1)
    })
  }
})
