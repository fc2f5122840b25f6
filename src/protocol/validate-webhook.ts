/** Bodies of the webhook endpoints: from parsed JSON to a typed request, or a refusal that names the field. */
import { compileCheck } from './compile-check.ts'
import { explainInvalid } from './explain-invalid.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { refuseUnstorableText } from './request-rules.ts'
import type { Static, TObject } from './schema.ts'
import { UNKNOWN_TYPES } from './validate.ts'
import {
  CreateWebhookEndpointSchema,
  RotateWebhookSecretSchema,
  TestWebhookEndpointSchema,
  UpdateWebhookEndpointSchema,
} from './webhooks.ts'

/** Each throws `ApiError` 400. An absent body counts as an empty one. */
export const validateCreateWebhook = createValidator(CreateWebhookEndpointSchema)
export const validateUpdateWebhook = createValidator(UpdateWebhookEndpointSchema)
export const validateRotateWebhook = createValidator(RotateWebhookSecretSchema)
export const validateTestWebhook = createValidator(TestWebhookEndpointSchema)

function createValidator<S extends TObject>(schema: S) {
  const fits = compileCheck(schema)
  const known = new Set(Object.keys(schema.properties))
  return (body: unknown): Static<S> => {
    const given = body ?? {}
    if (!fits(given)) throw explainInvalid(schema, given, UNKNOWN_TYPES)
    reportUnknownFields({ ...given }, known, 'error', [])
    refuseUnstorableText(given)
    return given
  }
}
