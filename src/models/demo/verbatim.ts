/** "Say X", "Repeat exactly: X", "Reply with the single word X": the X, as it stands. */
import type { Answer } from './style.ts'
import { unquote } from './words.ts'

const MAX_HEAD_CHARS = 2000
const VERB = '(?:say|reply|respond|answer|repeat|output|print|echo|write|return|copy|send|type)'
const QUOTED = new RegExp(
  `\\b${VERB}\\b([^"“\`\\n:?]{0,60})(?:"([^"\\n]+)"|“([^”\\n]+)”|\`([^\`\\n]+)\`|(?<=\\s)'([^'\\n]+)'(?!\\p{L}))`,
  'iu',
)
const WORD = new RegExp(
  `\\b${VERB}\\b(?:\\s+[a-z]+){0,4}?\\s+(?:(?:word|token|phrase|letter|digit)s?\\s+([^\\s"'“]+)|number\\s+(-?\\d[\\d.,]*))`,
  'iu',
)
const EXACT = new RegExp(
  `\\b${VERB}(?:\\s+back)?(?:\\s+with)?\\s+(?:exactly|verbatim|only|just)\\s+(?!the\\b|a\\b|an\\b|one\\b|two\\b|three\\b|your\\b|in\\b|with\\b|this\\b|what\\b|\\d+ words)([^\\n.?!]{1,80})`,
  'iu',
)
const CAPITALS = new RegExp(`\\b${VERB}(?:\\s+with)?\\s+([A-Z0-9][A-Z0-9_-]+)\\b`, 'iu')
const SAY =
  /^(?:please\s+|just\s+|can you\s+|now\s+)*say\s+(?!something|anything|why|whether|if|that|what|it\b|nothing)(.{1,80}?)(?:[,.!]?\s+(?:in|using|with)\s+(?:exactly |just |only )?[\w-]+ words?)?[.!?]*$/i
/** Between the verb and the quotes: the quoted text is spoken about, not to be spoken. */
const ABOUT =
  /\b(?:questions?|about|mean\w*|translat\w*|called|named|keys?|fields?|if|when|like|of|for|contain\w*|file|tool)\b/i
const NOT_SAID =
  /^(?:for|of|in|only|that|which|and|or|is|the|with|to|you|from|as|at|below|above|exactly|twice|back|word|again|count)$/i

export function findVerbatim(text: string): Answer | null {
  const asIs = afterColon(text) ?? quoted(text) ?? singleWord(text)
  if (asIs !== null) return { brief: asIs, full: asIs, isVerbatim: true }
  const said = SAY.exec(text.trim())?.[1]?.trim()
  if (!said) return null
  const capital = said.charAt(0).toUpperCase() + said.slice(1)
  return { brief: capital, full: `${capital}!` }
}

/** The text after a colon whose sentence asks to repeat it. */
function afterColon(text: string): string | null {
  const head = text.slice(0, MAX_HEAD_CHARS)
  for (const match of head.matchAll(/:(?=\s|["'“`«]|$)/g)) {
    const before =
      head
        .slice(0, match.index)
        .split(/[.!?\n]\s/)
        .at(-1) ?? ''
    if (!asksToRepeat(before)) continue
    const payload = unquote(text.slice(match.index + 1).trim())
    if (payload !== '' && (!asksForOneWord(before) || !/\s/.test(payload))) return payload
  }
  return null
}

const asksForOneWord = (phrase: string) => /\b(?:one|single) word\s*$/i.test(phrase)

function asksToRepeat(phrase: string): boolean {
  if (/\b(?:question|questions|instructions|format|json|schema|keys|fields|tool|call)\b/i.test(phrase)) return false
  if (
    /\b(?:repeat|echo|copy)\b|\bsay\s*$|\bsay (?:this|exactly|back|the following)/i.test(phrase) ||
    asksForOneWord(phrase)
  )
    return true
  return (
    new RegExp(`\\b${VERB}\\b`, 'i').test(phrase) &&
    /\b(?:exactly|verbatim|nothing else|word for word|literally|exact (?:text|words?|string|phrase))\b/i.test(phrase)
  )
}

function quoted(text: string): string | null {
  const head = text.slice(0, MAX_HEAD_CHARS)
  // "What does `x` return?" quotes without asking to say it.
  if (/^\s*(?:what|why|how|who|when|where|which|is|does|do)\b/i.test(head)) return null
  const match = QUOTED.exec(head)
  if (!match || ABOUT.test(match[1] ?? '')) return null
  return match[2] ?? match[3] ?? match[4] ?? match[5] ?? null
}

function singleWord(text: string): string | null {
  const head = text.slice(0, MAX_HEAD_CHARS)
  const found = WORD.exec(head)
  const word = (found?.[1] ?? found?.[2])?.replace(/[.,;!?]+$/, '')
  if (word && !NOT_SAID.test(word)) return word
  const exact = EXACT.exec(head)?.[1]
    ?.replace(/,?\s+(?:and nothing (?:else|more)|only|nothing else)$/i, '')
    .trim()
  if (exact) return unquote(exact)
  const capitals = CAPITALS.exec(head)?.[1]
  return capitals && capitals === capitals.toUpperCase() && /[A-Z]/.test(capitals) ? capitals : null
}
