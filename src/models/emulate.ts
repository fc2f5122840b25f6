/**
 * An adapter with everything around it that its provider lacks. From the inside out: what is said of single fields, what
 * has to be fetched, stop sequences, tools in words, custom tools as functions, demanded calls, structured output, one call at a time.
 */

import type { TurnField } from '../lib/field-support.ts'
import type { Ids } from '../lib/ids.ts'
import { customToolsAsFunctions } from './custom-tools-as-functions.ts'
import { demandedCallsByPrompt } from './demanded-calls-by-prompt.ts'
import { type Fetching, inlineUrls } from './inline-urls.ts'
import type { IsolatedChecks } from './isolated-checks.ts'
import type { FieldTable, Model } from './model.ts'
import { oneCallAtATime } from './one-call-at-a-time.ts'
import { overrideFields } from './overridden-fields.ts'
import { stopSequences } from './stop-sequences.ts'
import { structuredOutput } from './structured-output.ts'
import { toolsByPrompt } from './tools-by-prompt.ts'

type Options = {
  readonly checks: IsolatedChecks
  readonly ids: Ids
  /** Absent: nothing is fetched for providers. */
  readonly fetching?: Fetching
}

/** `said`: how fields fare in truth, by an operator or a probe. What is said to be refused or ignored is not emulated. */
export function emulate(adapter: Model, said: FieldTable, options: Options): Model {
  // A choice that is to be emulated is kept from the provider, and demanded in words.
  const kept: FieldTable = said.tool_choice === 'emulated' ? { ...said, tool_choice: 'refused' } : said
  let model = overrideFields(adapter, kept)
  const wanted = (field: TurnField) => said[field] !== 'refused' && said[field] !== 'ignored'
  const lacks = (field: TurnField) => wanted(field) && (model.fields[field] ?? 'native') !== 'native'
  if (options.fetching && (lacks('input.image_url') || lacks('input.file_url')))
    model = inlineUrls(model, options.fetching)
  if (lacks('stop')) model = stopSequences(model)
  if (!model.capabilities.functionTools && wanted('tools.function')) model = toolsByPrompt(model, options)
  if (!model.capabilities.customTools && wanted('tools.custom')) model = customToolsAsFunctions(model, options)
  if (wanted('tool_choice')) model = demandedCallsByPrompt(model, options)
  if (wanted('text.format.json_schema')) model = structuredOutput(model, options)
  if (lacks('parallel_tool_calls')) model = oneCallAtATime(model)
  return model
}
