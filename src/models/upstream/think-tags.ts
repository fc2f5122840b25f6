/**
 * Splits reasoning from text where a model writes it as `<think>...</think>` at the start of its text.
 *
 * Phases: `start` (white space, or the beginning of a tag: undecided), `thinking`, `after` (the blank lines behind the
 * closing tag), `text` (for good). Tags may be split anywhere between chunks.
 * Invariant: only the tags and the white space next to them are lost.
 */

export type ThinkSegment = { readonly reasoning: boolean; readonly text: string }

export interface ThinkSplitter {
  /** True once everything that follows is text; callers may then bypass the splitter. */
  settled(): boolean
  push(text: string): readonly ThinkSegment[]
  flush(): readonly ThinkSegment[]
}

const TAGS = ['think', 'thinking', 'thought', 'reasoning'] as const
const OPENERS = TAGS.map((tag) => ({ open: `<${tag}>`, close: `</${tag}>` }))

/** `prefilled`: the opening tag is part of the prompt, so the text starts inside it. */
export function createThinkSplitter(prefilled: boolean): ThinkSplitter {
  let phase: 'start' | 'thinking' | 'after' | 'text' = 'start'
  let close = '</think>'
  let trimReasoning = true
  let buffer = ''

  const start = (out: ThinkSegment[]) => {
    const trimmed = buffer.trimStart()
    const tag = OPENERS.find(({ open }) => trimmed.startsWith(open))
    if (tag) {
      close = tag.close
      buffer = trimmed.slice(tag.open.length)
      phase = 'thinking'
      return think(out)
    }
    if (trimmed === '' || OPENERS.some(({ open }) => open.startsWith(trimmed))) return
    phase = prefilled ? 'thinking' : 'text'
    if (prefilled) return think(out)
    emit(out, false, buffer)
    buffer = ''
  }
  const think = (out: ThinkSegment[]) => {
    if (trimReasoning) buffer = buffer.trimStart()
    if (buffer !== '') trimReasoning = false
    const end = buffer.indexOf(close)
    if (end < 0) {
      const keep = partialTail(buffer, close)
      emit(out, true, buffer.slice(0, buffer.length - keep))
      buffer = buffer.slice(buffer.length - keep)
      return
    }
    emit(out, true, buffer.slice(0, end))
    buffer = buffer.slice(end + close.length)
    phase = 'after'
    after(out)
  }
  const after = (out: ThinkSegment[]) => {
    buffer = buffer.trimStart()
    if (buffer === '') return
    phase = 'text'
    emit(out, false, buffer)
    buffer = ''
  }

  return {
    settled: () => phase === 'text',
    push(text) {
      const out: ThinkSegment[] = []
      buffer += text
      if (phase === 'start') start(out)
      else if (phase === 'thinking') think(out)
      else if (phase === 'after') after(out)
      else {
        emit(out, false, buffer)
        buffer = ''
      }
      return out
    },
    flush() {
      const out: ThinkSegment[] = []
      if (phase !== 'after') emit(out, phase === 'thinking', buffer)
      buffer = ''
      return out
    },
  }
}

const emit = (out: ThinkSegment[], reasoning: boolean, text: string) => {
  if (text !== '') out.push({ reasoning, text })
}

/** How many characters at the end of `text` may be the beginning of `tag`. */
function partialTail(text: string, tag: string): number {
  for (let size = Math.min(text.length, tag.length - 1); size > 0; size--) {
    if (text.endsWith(tag.slice(0, size))) return size
  }
  return 0
}
