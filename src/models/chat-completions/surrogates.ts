/** Keeps the two halves of a character together when a vendor's JSON splits them between two chunks. */

export interface SurrogateJoiner {
  /** The text with what was held back in front of it; a first half at its end waits for the next call. */
  push(text: string): string
  /** What is left at the end: the replacement character for a half that stayed alone. */
  flush(): string
}

const isHighSurrogate = (unit: number) => (unit & 0xfc00) === 0xd800

/** Invariant: what comes out is well-formed UTF-16, because nothing else can be written as UTF-8. */
export function createSurrogateJoiner(): SurrogateJoiner {
  let held = ''
  return {
    push(text) {
      const whole = held === '' ? text : held + text
      held = ''
      if (!isHighSurrogate(whole.charCodeAt(whole.length - 1))) return whole.toWellFormed()
      held = whole.slice(-1)
      return whole.slice(0, -1).toWellFormed()
    },
    flush() {
      const rest = held === '' ? '' : '\uFFFD'
      held = ''
      return rest
    },
  }
}
