/**
 * What the generations of Claude do differently, by name, as their maker documents it. Rows are data; the mappers read
 * them and know no model. A name that no row knows is asked for everything, and its provider refuses what it cannot.
 */
import type { Effort } from '../upstream/nearest-effort.ts'

export type Family = {
  /**
   * Adaptive thinking that cannot be switched off (`always`), is there unless switched off (`on`), or only on request
   * (`off`); a fixed number of tokens (`budget`); or none at all.
   */
  readonly thinking: 'always' | 'on' | 'off' | 'budget' | 'none'
  /** What switches thinking off where it is on. */
  readonly thinkingOff: 'disabled' | 'between_tools'
  /** Levels of `output_config.effort`; empty: the field is refused. */
  readonly efforts: readonly Effort[]
  /** `any`: temperature and top_p. `one`: not both at once. `none`: neither, but for their defaults. */
  readonly sampling: 'any' | 'one' | 'none'
  /** `tool_choice` may demand a call. */
  readonly forcedTools: boolean
  /** System messages may stand inside the conversation. */
  readonly systemMessages: boolean
  /** `output_config.format` and strict tools. */
  readonly structuredOutput: boolean
  /** A thinking block is refused when anything before it has changed. */
  readonly boundThinking: boolean
  /** An input that leaves less room than `max_tokens` is refused, so no more is asked for than an answer needs. */
  readonly countsMaxTokens: boolean
}

const ALL_EFFORTS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max']
const NO_XHIGH: readonly Effort[] = ['low', 'medium', 'high', 'max']

/** The fifth generation. */
const ADAPTIVE: Family = {
  thinking: 'on',
  thinkingOff: 'disabled',
  efforts: ALL_EFFORTS,
  sampling: 'none',
  forcedTools: true,
  systemMessages: false,
  structuredOutput: true,
  boundThinking: false,
  countsMaxTokens: false,
}
const ALWAYS: Family = { ...ADAPTIVE, thinking: 'always', systemMessages: true }
const BUDGET: Family = { ...ADAPTIVE, thinking: 'budget', efforts: [], sampling: 'one' }
const OLD: Family = { ...BUDGET, sampling: 'any', structuredOutput: false, countsMaxTokens: true }
/** A Claude that came after this table, and the models of others who speak this API. */
const NEWER: Family = { ...ADAPTIVE, sampling: 'any' }
const FOREIGN: Family = { ...BUDGET, sampling: 'any', structuredOutput: false }

type Row = readonly [names: RegExp, family: Family]

/** The first that fits counts. */
const ROWS: readonly Row[] = [
  [/^(fable|mythos)-5-[1-9](?!\d)/, { ...ALWAYS, forcedTools: false, boundThinking: true }],
  [/^(fable|mythos)-5/, ALWAYS],
  [/^mythos-preview/, { ...ALWAYS, efforts: NO_XHIGH, systemMessages: false }],
  [/^opus-5-[1-9](?!\d)/, { ...ALWAYS, forcedTools: false, boundThinking: true }],
  [/^opus-5/, { ...ADAPTIVE, systemMessages: true }],
  [/^sonnet-5-[1-9](?!\d)/, { ...ADAPTIVE, thinkingOff: 'between_tools', forcedTools: false, boundThinking: true }],
  [/^sonnet-5/, ADAPTIVE],
  [/^haiku-5/, { ...ADAPTIVE, boundThinking: true }],
  [/^opus-4-8/, { ...ADAPTIVE, thinking: 'off', systemMessages: true }],
  [/^opus-4-7/, { ...ADAPTIVE, thinking: 'off' }],
  [/^(opus|sonnet)-4-6/, { ...ADAPTIVE, thinking: 'off', efforts: NO_XHIGH, sampling: 'one' }],
  [/^opus-4-5/, { ...BUDGET, efforts: ['low', 'medium', 'high'] }],
  [/^(sonnet|haiku)-4-5/, BUDGET],
  [/^opus-4-1/, { ...OLD, sampling: 'one' }],
  [/^(opus|sonnet)-4|^3-7/, OLD],
  [/^(3|2|instant)/, { ...OLD, thinking: 'none' }],
]

/** `claude-opus-4.5@20251101` and `us.anthropic.claude-opus-4-5-v1:0` are one model. */
export function familyOf(model: string): Family {
  const name = /claude-(.+)$/.exec(model.toLowerCase().replaceAll('.', '-'))?.[1]
  if (name === undefined) return FOREIGN
  return ROWS.find(([names]) => names.test(name))?.[1] ?? NEWER
}
