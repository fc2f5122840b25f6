/** Bodies of the Containers API: from parsed JSON to a typed request, or a refusal that names the field. */
import { compileCheck } from './compile-check.ts'
import {
  type CopyContainerFileRequest,
  CopyContainerFileSchema,
  type CreateContainerRequest,
  CreateContainerSchema,
} from './containers.ts'
import { unsupportedParameter } from './errors.ts'
import { explainInvalid } from './explain-invalid.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { refuseUnstorableText } from './request-rules.ts'
import { UNKNOWN_TYPES } from './validate.ts'

const fits = compileCheck(CreateContainerSchema)
const fitsCopy = compileCheck(CopyContainerFileSchema)
const known = new Set(Object.keys(CreateContainerSchema.properties))

/** @throws ApiError 400 */
export function validateCreateContainer(body: unknown): CreateContainerRequest {
  if (!fits(body)) throw explainInvalid(CreateContainerSchema, body, UNKNOWN_TYPES)
  reportUnknownFields({ ...body }, known, 'error', [])
  refuseUnstorableText(body)
  if (body.skills && body.skills.length > 0) throw unsupportedParameter('skills', 'This server has no skills.')
  return body
}

/** @throws ApiError 400 */
export function validateCopyContainerFile(body: unknown): CopyContainerFileRequest {
  if (!fitsCopy(body)) throw explainInvalid(CopyContainerFileSchema, body, UNKNOWN_TYPES)
  reportUnknownFields({ ...body }, new Set(['file_id']), 'error', [])
  return body
}
