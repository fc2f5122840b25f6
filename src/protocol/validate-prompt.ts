/** Bodies of the prompt endpoints. They are ours alone, so what is unknown in them is refused. */
import { compileCheck } from './compile-check.ts'
import { badRequest } from './errors.ts'
import { explainInvalid } from './explain-invalid.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { checkTemplate } from './prompt-template.ts'
import {
  type CreatePromptRequest,
  CreatePromptSchema,
  MAX_TEMPLATE_BYTES,
  type PromptTemplate,
  TEMPLATE_FIELDS,
  type UpdatePromptRequest,
  UpdatePromptSchema,
} from './prompts.ts'
import { TEMPLATE_RULES } from './request-rules.ts'
import type { TSchema } from './schema.ts'
import { UNKNOWN_TYPES } from './validate.ts'

const fitsCreate = compileCheck(CreatePromptSchema)
const fitsUpdate = compileCheck(UpdatePromptSchema)

/** @throws ApiError 400 with the path of the first field that is wrong */
export function validateCreatePrompt(body: unknown): CreatePromptRequest {
  if (!fitsCreate(body)) throw explainInvalid(CreatePromptSchema, body, UNKNOWN_TYPES)
  checkBody(body, CreatePromptSchema)
  return body
}

export function validateUpdatePrompt(body: unknown): UpdatePromptRequest {
  if (!fitsUpdate(body)) throw explainInvalid(UpdatePromptSchema, body, UNKNOWN_TYPES)
  if (typeof body.default_version !== 'string') {
    checkBody(body, UpdatePromptSchema)
    return body
  }
  const other = Object.entries(body).find(([name, value]) => name !== 'default_version' && value !== null)
  if (other === undefined) return body
  const why = "'default_version' chooses a version that is there; send it alone, or leave it out to make a new one."
  throw badRequest(other[0], 'invalid_value', `Invalid '${other[0]}': ${why}`)
}

function checkBody(body: CreatePromptRequest, schema: TSchema & { readonly properties: object }): void {
  reportUnknownFields(body, new Set(Object.keys(schema.properties)), 'error', [])
  const template: PromptTemplate = body
  if (TEMPLATE_FIELDS.every((field) => template[field] === undefined || template[field] === null)) {
    throw badRequest(
      null,
      'missing_required_parameter',
      `A prompt needs at least one of: ${TEMPLATE_FIELDS.join(', ')}.`,
    )
  }
  const bytes = Buffer.byteLength(JSON.stringify(body))
  if (bytes > MAX_TEMPLATE_BYTES)
    throw badRequest(null, 'invalid_value', `The prompt has ${bytes} bytes; at most ${MAX_TEMPLATE_BYTES} are stored.`)
  for (const rule of TEMPLATE_RULES) rule(template, { minOutputTokens: 1, warnings: [] })
  checkTemplate(template)
}
