/** Keeps the two halves of a character together when a vendor's JSON splits them between two chunks. */

export interface SurrogateJoiner {
  /** The text with what was held back in front of it; a first half at its end waits for the next call. */
  push(text: string): string
  /** What is left at the end: the replacement character for a half that stayed alone. */
  flush(): string
}

const isHighSurrogate = (unit: number) => (unit & 0xfc00) === 0xd800

/**
 * Invariant: what comes out can be written as UTF-8, stored, and sent back to us as input: no half of a character, and
 * no NUL. Both become the replacement character.
 */
export function createSurrogateJoiner(): SurrogateJoiner {
  let held = ''
  return {
    push(text) {
      const whole = held === '' ? text : held + text
      held = ''
      if (!isHighSurrogate(whole.charCodeAt(whole.length - 1))) return storable(whole)
      held = whole.slice(-1)
      return storable(whole.slice(0, -1))
    },
    flush() {
      const rest = held === '' ? '' : '\uFFFD'
      held = ''
      return rest
    },
  }
}

/** For text that comes whole. */
export const storable = (text: string): string => {
  const whole = text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}
