/** Bodies of the Conversations API: from parsed JSON to a typed request, or a refusal that names the field. */
import { compileCheck } from './compile-check.ts'
import { AddConversationItemsSchema, CreateConversationSchema, UpdateConversationSchema } from './conversation.ts'
import { explainInvalid } from './explain-invalid.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import type { InputItemParam } from './items.ts'
import { checkItems, checkMetadata, refuseTrigger, refuseUnstorableText } from './request-rules.ts'
import type { Static, TObject } from './schema.ts'
import { UNKNOWN_TYPES, type Validated, type ValidationOptions } from './validate.ts'

/** @throws ApiError 400; an absent body, here undefined, asks for an empty conversation */
export const validateCreateConversation = createValidator(CreateConversationSchema, (request) => {
  checkKeptItems(request.items ?? [])
  checkMetadata(request)
})
/** @throws ApiError 400 */
export const validateUpdateConversation = createValidator(UpdateConversationSchema, checkMetadata)
/** @throws ApiError 400 */
export const validateAddConversationItems = createValidator(AddConversationItemsSchema, ({ items }) =>
  checkKeptItems(items),
)

function checkKeptItems(items: readonly InputItemParam[]): void {
  checkItems(items, 'items')
  refuseTrigger(items, 'items')
}

export function createValidator<S extends TObject>(schema: S, check: (request: Static<S>) => void) {
  const fits = compileCheck(schema)
  const known = new Set(Object.keys(schema.properties))
  return (body: unknown, { unknownParams }: Pick<ValidationOptions, 'unknownParams'>): Validated<Static<S>> => {
    const warnings: string[] = []
    const given = body ?? {}
    if (!fits(given)) throw explainInvalid(schema, given, UNKNOWN_TYPES)
    reportUnknownFields({ ...given }, known, unknownParams, warnings)
    refuseUnstorableText(given)
    check(given)
    return { request: given, warnings }
  }
}
