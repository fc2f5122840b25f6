/** Use cases on prompt templates: make, read, list, change, delete. */

import { seconds } from '../lib/clock.ts'
import { badRequest } from '../protocol/errors.ts'
import { variablesOf } from '../protocol/prompt-template.ts'
import {
  type CreatePromptRequest,
  type PromptList,
  type PromptObject,
  type PromptTemplate,
  TEMPLATE_FIELDS,
  type UpdatePromptRequest,
} from '../protocol/prompts.ts'
import type { NewPromptVersion, PromptStore, StoredPrompt } from '../store/store.ts'
import { promptNotFound } from './apply-prompt.ts'
import type { Caller, PageQuery } from './engine.ts'
import { type IdempotencyDeps, once } from './idempotency.ts'
import { listObject } from './list-object.ts'
import { refuseKeeping } from './retention.ts'

/** Prompts of a project, and versions of a prompt. */
export const PROMPT_LIMITS = { prompts: 10_000, versions: 1_000 } as const
const PROMPT_ID_PREFIX = 'pmpt'
/** Where `Idempotency-Key` counts. */
const ENDPOINTS = { create: 'POST /v1/prompts', update: 'POST /v1/prompts/{id}' } as const

export type PromptDeps = IdempotencyDeps

const promptsOf = (caller: Caller, { store }: PromptDeps): PromptStore =>
  store.forProject(caller.principal.projectId).prompts

export async function createPrompt(
  request: CreatePromptRequest,
  caller: Caller,
  deps: PromptDeps,
): Promise<PromptObject> {
  refuseKeeping('Prompts', caller, deps.settings)
  return once<PromptObject>(ENDPOINTS.create, caller, deps, async (endClaim) => {
    const prompt = { ...versionOf(deps.ids.next(PROMPT_ID_PREFIX), request, deps), name: request.name ?? null }
    const end = (stored: StoredPrompt) => endClaim(toPromptObject(stored))
    const made = await promptsOf(caller, deps).create(prompt, PROMPT_LIMITS.prompts, end)
    if (made === 'full') throw badRequest(null, 'limit_exceeded', full('project', PROMPT_LIMITS.prompts, 'prompts'))
    return toPromptObject(made)
  })
}

/** Makes a new version or, by `default_version` alone, lets another one count. */
export async function updatePrompt(
  id: string,
  request: UpdatePromptRequest,
  caller: Caller,
  deps: PromptDeps,
): Promise<PromptObject> {
  refuseKeeping('Prompts', caller, deps.settings)
  const prompts = promptsOf(caller, deps)
  const chosen = request.default_version
  return once<PromptObject>(ENDPOINTS.update, caller, deps, async (endClaim) => {
    const end = (stored: StoredPrompt) => endClaim(toPromptObject(stored))
    if (typeof chosen === 'string') {
      const changed = isVersion(chosen) ? await prompts.setDefault(id, Number(chosen), end) : null
      if (!changed) throw promptNotFound(id, chosen)
      return toPromptObject(changed)
    }
    const made = await prompts.addVersion(versionOf(id, request, deps), PROMPT_LIMITS.versions, end)
    if (made === 'unknown') throw promptNotFound(id, null)
    if (made === 'full') throw badRequest(null, 'limit_exceeded', full('prompt', PROMPT_LIMITS.versions, 'versions'))
    return toPromptObject(made)
  })
}

const versionOf = (id: string, request: CreatePromptRequest, { clock }: PromptDeps): NewPromptVersion => ({
  id,
  name: request.name ?? null,
  template: templateOf(request),
  createdAt: seconds(clock),
})

const isVersion = (text: string) => /^[1-9]\d{0,8}$/.test(text)

const full = (whole: string, limit: number, things: string) => `The ${whole} has ${limit} ${things}, which is the most.`

/** `version` null: the default one. */
export async function getPrompt(
  id: string,
  version: string | null,
  caller: Caller,
  deps: PromptDeps,
): Promise<PromptObject> {
  const isKnown = version === null || isVersion(version)
  const stored = isKnown ? await promptsOf(caller, deps).get(id, version === null ? null : Number(version)) : null
  if (!stored) throw promptNotFound(id, version)
  return toPromptObject(stored)
}

export async function listPrompts(page: PageQuery, caller: Caller, deps: PromptDeps): Promise<PromptList> {
  const { limit, order, after } = page
  const found = await promptsOf(caller, deps).list({ limit: limit + 1, order, after })
  return listObject(found.slice(0, limit).map(toPromptObject), found.length > limit)
}

export async function deletePrompt(id: string, caller: Caller, deps: PromptDeps): Promise<void> {
  if (!(await promptsOf(caller, deps).delete(id))) throw promptNotFound(id, null)
}

/** What was given, and every variable with its type. */
function templateOf(request: CreatePromptRequest): PromptTemplate {
  const given = TEMPLATE_FIELDS.filter((field) => (request[field] ?? null) !== null)
  return { ...Object.fromEntries(given.map((field) => [field, request[field]])), variables: variablesOf(request) }
}

function toPromptObject({ template, ...prompt }: StoredPrompt): PromptObject {
  const { variables, ...fields } = template
  return {
    id: prompt.id,
    object: 'prompt',
    created_at: prompt.createdAt,
    name: prompt.name,
    version: String(prompt.version),
    default_version: String(prompt.defaultVersion),
    latest_version: String(prompt.latestVersion),
    ...Object.fromEntries(TEMPLATE_FIELDS.map((field) => [field, fields[field] ?? null])),
    variables: variables ?? {},
  }
}
