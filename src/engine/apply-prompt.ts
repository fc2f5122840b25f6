/** From a request that names a prompt template to one that says everything itself. */
import { ApiError, badRequest, missingParameter } from '../protocol/errors.ts'
import { clip } from '../protocol/invalid-texts.ts'
import type { InputItemParam } from '../protocol/items.ts'
import type { PromptEcho, PromptParam, PromptValue } from '../protocol/prompt-param.ts'
import { renderTemplate } from '../protocol/prompt-template.ts'
import { TEMPLATE_FIELDS } from '../protocol/prompts.ts'
import { type CreateResponseRequest, MAX_INPUT_ITEMS } from '../protocol/request.ts'
import type { ProjectStore, StoredPrompt } from '../store/store.ts'
import { toInputPart } from './normalize-input.ts'

export type Prompted = { readonly request: CreateResponseRequest; readonly prompt: PromptEcho | null }

/**
 * What the request says itself wins over the template; the template's input comes before the request's. Refuses unknown
 * prompts and versions with 404, missing, unknown and wrongly typed variables with 400.
 */
export async function applyPrompt(request: CreateResponseRequest, store: ProjectStore): Promise<Prompted> {
  const { prompt } = request
  if (!prompt) return { request, prompt: null }
  const stored = await findPrompt(prompt, store)
  const rendered = renderTemplate(stored.template, prompt.variables ?? {})
  const template = { ...stored.template, ...rendered }
  const filled: CreateResponseRequest = { ...request }
  for (const field of TEMPLATE_FIELDS) {
    if (field === 'input' || (filled[field] ?? null) !== null) continue
    Object.assign(filled, { [field]: template[field] })
  }
  return {
    request: { ...filled, ...inputOf(template.input, request) },
    prompt: {
      id: stored.id,
      version: String(stored.version),
      variables: prompt.variables ? echoVariables(prompt.variables) : null,
    },
  }
}

async function findPrompt({ id, version }: PromptParam, store: ProjectStore): Promise<StoredPrompt> {
  const number = version ? Number(version) : null
  const isVersion = number === null || (Number.isSafeInteger(number) && String(number) === version)
  const stored = isVersion ? await store.prompts.get(id, number) : null
  if (stored) return stored
  throw promptNotFound(id, version ?? null)
}

export const promptNotFound = (id: string, version: string | null): ApiError => {
  const which = version === null ? '' : ` in version '${clip(version)}'`
  return new ApiError({ status: 404, param: 'prompt', message: `Prompt with id '${clip(id)}' not found${which}.` })
}

function inputOf(
  before: CreateResponseRequest['input'],
  { input, previous_response_id }: CreateResponseRequest,
): Pick<CreateResponseRequest, 'input'> {
  const items = [...toItems(before), ...toItems(input)]
  if (items.length > MAX_INPUT_ITEMS) {
    const message = `The prompt and the input have ${items.length} items together; at most ${MAX_INPUT_ITEMS} are taken.`
    throw badRequest('input', 'array_above_max_length', message)
  }
  if (items.length === 0 && !previous_response_id) throw missingParameter('input')
  return items.length === 0 ? {} : { input: items }
}

const toItems = (input: CreateResponseRequest['input']): readonly InputItemParam[] =>
  typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? [])

const echoVariables = (variables: Readonly<Record<string, PromptValue>>): PromptEcho['variables'] =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : toInputPart(value)]),
  )
