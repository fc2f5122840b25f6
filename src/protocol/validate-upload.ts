/** Bodies of the Uploads API: from parsed JSON to a typed request, or a refusal that names the field. */
import { compileCheck } from './compile-check.ts'
import { badRequest } from './errors.ts'
import { explainInvalid } from './explain-invalid.ts'
import { toFileName } from './file-name.ts'
import {
  type CompleteUploadRequest,
  CompleteUploadSchema,
  type CreateUploadRequest,
  CreateUploadSchema,
} from './files.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { UNKNOWN_TYPES, type Validated, type ValidationOptions } from './validate.ts'

const fitsCreate = compileCheck(CreateUploadSchema)
const fitsComplete = compileCheck(CompleteUploadSchema)
type Options = Pick<ValidationOptions, 'unknownParams'>
const MD5 = /^[0-9a-f]{32}$/i

/** @throws ApiError 400 */
export function validateCreateUpload(body: unknown, { unknownParams }: Options): Validated<CreateUploadRequest> {
  if (!fitsCreate(body)) throw explainInvalid(CreateUploadSchema, body, UNKNOWN_TYPES)
  const warnings: string[] = []
  reportUnknownFields({ ...body }, new Set(Object.keys(CreateUploadSchema.properties)), unknownParams, warnings)
  return { request: { ...body, filename: toFileName(body.filename, 'filename') }, warnings }
}

/** @throws ApiError 400 */
export function validateCompleteUpload(body: unknown, { unknownParams }: Options): Validated<CompleteUploadRequest> {
  if (!fitsComplete(body)) throw explainInvalid(CompleteUploadSchema, body, UNKNOWN_TYPES)
  const warnings: string[] = []
  reportUnknownFields({ ...body }, new Set(Object.keys(CompleteUploadSchema.properties)), unknownParams, warnings)
  if (typeof body.md5 === 'string' && !MD5.test(body.md5)) {
    throw badRequest('md5', 'invalid_value', "Invalid 'md5': expected 32 hexadecimal digits.")
  }
  return { request: body, warnings }
}
