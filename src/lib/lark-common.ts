/** Lark's library of common terminals. */
import type { LarkNode } from './lark-node.ts'

const pattern = (source: string): LarkNode => ({ type: 'pattern', source })
const NUMBER = '([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?'
const DECIMAL = '([0-9]+[.][0-9]*|[.][0-9]+)'
const FLOAT = `([0-9]+[eE][+-]?[0-9]+|${DECIMAL}([eE][+-]?[0-9]+)?)`

export const COMMON_TERMINALS: ReadonlyMap<string, LarkNode> = new Map([
  ['DIGIT', pattern('[0-9]')],
  ['HEXDIGIT', pattern('[0-9a-fA-F]')],
  ['INT', pattern('[0-9]+')],
  ['SIGNED_INT', pattern('[+-]?[0-9]+')],
  ['DECIMAL', pattern(DECIMAL)],
  ['FLOAT', pattern(FLOAT)],
  ['SIGNED_FLOAT', pattern(`[+-]?${FLOAT}`)],
  ['NUMBER', pattern(NUMBER)],
  ['SIGNED_NUMBER', pattern(`[+-]?${NUMBER}`)],
  ['ESCAPED_STRING', pattern('"([^"\\\\\\n]|\\\\[^\\n])*"')],
  ['LCASE_LETTER', pattern('[a-z]')],
  ['UCASE_LETTER', pattern('[A-Z]')],
  ['LETTER', pattern('[A-Za-z]')],
  ['WORD', pattern('[A-Za-z]+')],
  ['CNAME', pattern('[A-Za-z_][A-Za-z0-9_]*')],
  ['WS_INLINE', pattern('[ \\t]+')],
  ['WS', pattern('[ \\t\\f\\r\\n]+')],
  ['CR', pattern('\\r')],
  ['LF', pattern('\\n')],
  ['NEWLINE', pattern('(\\r?\\n)+')],
  ['SH_COMMENT', pattern('#[^\\n]*')],
  ['CPP_COMMENT', pattern('//[^\\n]*')],
  ['SQL_COMMENT', pattern('--[^\\n]*')],
])
