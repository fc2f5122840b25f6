/** The text fields of `POST /v1/files`: from a form, where everything is text, to values. */
import { missingParameter } from './errors.ts'
import { FILE_EXPIRY_SECONDS, FILE_PURPOSES } from './files.ts'
import { reportUnknownFields } from './foreign-fields.ts'
import { invalidType, invalidValue, numberOutOfRange } from './invalid-texts.ts'
import type { ValidationOptions } from './validate.ts'

export type FormFields = ReadonlyMap<string, string>
export type FileFields = {
  readonly purpose: (typeof FILE_PURPOSES)[number]
  /** Null: the request does not say. */
  readonly ttlSeconds: number | null
}

const ANCHOR = 'expires_after[anchor]'
const SECONDS = 'expires_after[seconds]'
const KNOWN = new Set(['purpose', ANCHOR, SECONDS])

/** @throws ApiError 400 for the first field that is wrong; fields that have not come yet are not missed */
export function checkFileFields(fields: FormFields): void {
  const purpose = fields.get('purpose')
  if (purpose !== undefined) purposeOf(purpose)
  const anchor = fields.get(ANCHOR)
  if (anchor !== undefined && anchor !== 'created_at')
    throw invalidValue('expires_after.anchor', anchor, ['created_at'])
  const seconds = fields.get(SECONDS)
  if (seconds !== undefined) secondsOf(seconds)
}

/** @throws ApiError 400 */
export function readFileFields(
  fields: FormFields,
  { unknownParams }: Pick<ValidationOptions, 'unknownParams'>,
): { readonly request: FileFields; readonly warnings: readonly string[] } {
  checkFileFields(fields)
  const warnings: string[] = []
  reportUnknownFields(Object.fromEntries(fields), KNOWN, unknownParams, warnings)
  const purpose = fields.get('purpose')
  if (purpose === undefined) throw missingParameter('purpose')
  const [anchor, seconds] = [fields.get(ANCHOR), fields.get(SECONDS)]
  if (anchor !== undefined && seconds === undefined) throw missingParameter('expires_after.seconds')
  if (anchor === undefined && seconds !== undefined) throw missingParameter('expires_after.anchor')
  return {
    request: { purpose: purposeOf(purpose), ttlSeconds: seconds === undefined ? null : secondsOf(seconds) },
    warnings,
  }
}

function purposeOf(given: string): FileFields['purpose'] {
  const known = FILE_PURPOSES.find((purpose) => purpose === given)
  if (known === undefined) throw invalidValue('purpose', given, FILE_PURPOSES)
  return known
}

function secondsOf(given: string): number {
  const { min, max } = FILE_EXPIRY_SECONDS
  if (!/^-?\d{1,15}$/.test(given)) throw invalidType('expires_after.seconds', 'an integer', given)
  const seconds = Number(given)
  if (seconds < min) throw numberOutOfRange('expires_after.seconds', seconds, min, 'integer', true)
  if (seconds > max) throw numberOutOfRange('expires_after.seconds', seconds, max, 'integer', false)
  return seconds
}
