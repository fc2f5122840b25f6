/** Reads tool calls out of text in which a model writes them between tags, while the text still arrives. */

export const CALL_START = '<tool_call>'
export const CALL_END = '</tool_call>'
/** Results are ours to write. A model that goes on with one is making it up. */
const RESULT_START = '<tool_response>'

export type TextPiece =
  | { readonly type: 'text'; readonly text: string }
  /** What stood between the tags. `closed` false: the text ended before the end tag. */
  | { readonly type: 'call'; readonly raw: string; readonly closed: boolean }

export interface CallReader {
  push(text: string): readonly TextPiece[]
  /** The text is over. */
  end(): readonly TextPiece[]
}

type State = 'text' | 'call' | 'over'

/**
 * Invariant: text that could be the beginning of a tag, and the white space in front of one, is held back until it is
 * known to be one or not. After the first call only further calls are read; other text is no answer any more.
 */
export function createCallReader(): CallReader {
  let held = ''
  let state: State = 'text'
  let calls = 0

  const read = (): TextPiece[] => {
    const pieces: TextPiece[] = []
    for (;;) {
      const next = state === 'text' ? readText() : state === 'call' ? readCall() : null
      if (next === null) return pieces
      pieces.push(...next)
    }
  }
  /** Null: nothing more can be told from what is here. */
  const readText = (): TextPiece[] | null => {
    const start = held.indexOf(CALL_START)
    const result = calls > 0 ? held.indexOf(RESULT_START) : -1
    if (result !== -1 && (start === -1 || result < start)) {
      state = 'over'
      held = ''
      return null
    }
    if (start === -1) return null
    const before = held.slice(0, start)
    held = held.slice(start + CALL_START.length)
    state = 'call'
    return calls === 0 ? textPieces(before.trimEnd()) : []
  }
  const readCall = (): TextPiece[] | null => {
    const end = held.indexOf(CALL_END)
    if (end === -1) return null
    const raw = held.slice(0, end)
    held = held.slice(end + CALL_END.length)
    state = 'text'
    calls += 1
    return [{ type: 'call', raw, closed: true }]
  }
  /** What is text for sure. */
  const release = (): readonly TextPiece[] => {
    if (state === 'over') held = ''
    if (state !== 'text' || calls > 0) return []
    const safe = held.slice(0, held.length - undecided(held)).trimEnd()
    held = held.slice(safe.length)
    return textPieces(safe)
  }
  return {
    push(text) {
      held += text
      const pieces = read()
      return [...pieces, ...release()]
    },
    end() {
      const rest = held
      held = ''
      if (state === 'call') return [{ type: 'call', raw: rest, closed: false }]
      return state === 'text' && calls === 0 ? textPieces(rest) : []
    },
  }
}

const textPieces = (text: string): TextPiece[] => (text === '' ? [] : [{ type: 'text', text }])

/** Characters at the end that could begin a call. */
function undecided(text: string): number {
  for (let length = Math.min(CALL_START.length - 1, text.length); length > 0; length -= 1) {
    if (CALL_START.startsWith(text.slice(text.length - length))) return length
  }
  return 0
}
