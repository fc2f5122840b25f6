/** The name of a file as we keep it: for people to read, and never a path. */
import { badRequest } from './errors.ts'
import { MAX_FILENAME_CHARS } from './files.ts'

/** Control characters, and marks that let a name look like another one on a screen. */
const UNSAFE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** What is left of a path is its last part. `param`: the field it came in. Throws 400 for what cannot be a name. */
export function toFileName(given: string, param: string): string {
  const name = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1).trim()
  if (name === '' || name === '.' || name === '..') {
    throw badRequest(param, 'invalid_value', `Invalid '${param}': the file needs a name, for example 'notes.txt'.`)
  }
  if (UNSAFE.test(name) || !name.isWellFormed()) {
    const why = 'its name holds control characters, or marks that change the direction of text. Rename the file.'
    throw badRequest(param, 'invalid_value', `Invalid '${param}': ${why}`)
  }
  if ([...name].length > MAX_FILENAME_CHARS) {
    const why = `its name is longer than ${MAX_FILENAME_CHARS} characters. Rename the file.`
    throw badRequest(param, 'string_above_max_length', `Invalid '${param}': ${why}`)
  }
  return name
}
