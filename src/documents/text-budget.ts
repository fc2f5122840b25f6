/** How much text one document may have. It is counted while it is made: what is too long is never held whole. */
import { DocumentError } from './document-reader.ts'

export interface TextBudget {
  /** Takes note of so many characters. Throws `DocumentError` once there are more than may be. */
  spend(chars: number): void
}

export function createTextBudget(maxChars: number): TextBudget {
  let left = maxChars
  return {
    spend(chars) {
      left -= chars
      if (left < 0) throw new DocumentError('too-large', `its text is longer than ${maxChars} characters`)
    },
  }
}
