/** Arithmetic, worked out and not looked up. Anything that is not plain arithmetic is left alone. */

const NUMBER_WORDS = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, value) => [word, value] as const),
)
for (const [index, word] of 'thirty forty fifty sixty seventy eighty ninety hundred'.split(' ').entries()) {
  NUMBER_WORDS.set(word, (index + 3) * 10)
}

const OPERATOR_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bmultiplied by\b|\btimes\b|×/gi, '*'],
  [/\bdivided by\b|\bover\b|÷/gi, '/'],
  [/\bplus\b|\badded to\b/gi, '+'],
  [/\bminus\b|−/gi, '-'],
  [/\bto the power of\b|\*\*/gi, '^'],
  [/\bmod(ulo)?\b/gi, '%'],
  [/(?<=\d)\s*x\s*(?=\d)/gi, '*'],
  [/\bsquared\b/gi, '^2'],
  [/\bcubed\b/gi, '^3'],
  [/(?<=\d),(?=\d{3}\b)/g, ''],
]

const EXPRESSION =
  /(?<![\w.])[-(]{0,8}\d+(?:\.\d+)?\){0,8}(?:\s{0,4}[-+*/^%]\s{0,4}[-(]{0,8}\d+(?:\.\d+)?\){0,8})+(?![\w])/g
const MAX_EXPRESSION_CHARS = 500

export type Sum = { readonly expression: string; readonly value: number }

/** The last piece of arithmetic in a text, with its value. Null when there is none, or it has no finite value. */
export function findArithmetic(text: string): Sum | null {
  const phrase = findPhrase(text)
  if (phrase) return phrase
  const plain = toSymbols(text)
  const candidates = [...plain.matchAll(EXPRESSION)].map(([match]) => match.trim())
  for (const expression of candidates.reverse()) {
    if (/^\d{4}-\d{1,2}-\d{1,2}$|^\d{3}-\d+/.test(expression)) continue
    const value = evaluate(expression)
    if (value !== null) return { expression, value }
  }
  return null
}

function toSymbols(text: string): string {
  const numbers = text.replaceAll(/\b[a-z]+\b/gi, (word) => String(NUMBER_WORDS.get(word.toLowerCase()) ?? word))
  return OPERATOR_WORDS.reduce((result, [pattern, symbol]) => result.replaceAll(pattern, symbol), numbers)
}

const N = '(-?\\d+(?:\\.\\d+)?)'
const PHRASES: readonly (readonly [RegExp, (a: number, b: number) => number, (a: string, b: string) => string])[] = [
  [new RegExp(`sum of ${N} and ${N}`, 'i'), (a, b) => a + b, (a, b) => `${a} + ${b}`],
  [new RegExp(`add ${N} (?:and|to) ${N}`, 'i'), (a, b) => a + b, (a, b) => `${a} + ${b}`],
  [new RegExp(`product of ${N} and ${N}`, 'i'), (a, b) => a * b, (a, b) => `${a} * ${b}`],
  [new RegExp(`multiply ${N} (?:and|by|with) ${N}`, 'i'), (a, b) => a * b, (a, b) => `${a} * ${b}`],
  [new RegExp(`difference between ${N} and ${N}`, 'i'), (a, b) => a - b, (a, b) => `${a} - ${b}`],
  [new RegExp(`subtract ${N} from ${N}`, 'i'), (a, b) => b - a, (a, b) => `${b} - ${a}`],
  [new RegExp(`divide ${N} by ${N}`, 'i'), (a, b) => a / b, (a, b) => `${a} / ${b}`],
  [new RegExp(`${N} ?(?:%|percent) of ${N}`, 'i'), (a, b) => (a / 100) * b, (a, b) => `${a}% of ${b}`],
  [new RegExp(`(square root) of ${N}`, 'i'), (_, b) => Math.sqrt(b), (_, b) => `square root of ${b}`],
]

function findPhrase(text: string): Sum | null {
  const plain = toSymbols(text)
  for (const [pattern, compute, write] of PHRASES) {
    const match = pattern.exec(plain)
    const [a, b] = [match?.[1], match?.[2]]
    if (a === undefined || b === undefined) continue
    const value = compute(Number(a), Number(b))
    if (Number.isFinite(value)) return { expression: write(a, b), value }
  }
  return null
}

/** `17 * (3 + 4)`: usual precedence, `^` binds to the right. Null for anything that is not arithmetic. */
export function evaluate(expression: string): number | null {
  if (expression.length > MAX_EXPRESSION_CHARS) return null
  const tokens = expression.match(/\d+(?:\.\d+)?|[-+*/^%()]/g) ?? []
  let at = 0
  const take = (symbols: string): string | null => {
    const token = tokens[at]
    if (token === undefined || !symbols.includes(token)) return null
    at++
    return token
  }
  const sum = (): number => {
    let value = product()
    for (let sign = take('+-'); sign !== null; sign = take('+-')) value += sign === '+' ? product() : -product()
    return value
  }
  const product = (): number => {
    let value = sign()
    for (let symbol = take('*/%'); symbol !== null; symbol = take('*/%')) {
      const right = sign()
      value = symbol === '*' ? value * right : symbol === '/' ? value / right : value % right
    }
    return value
  }
  const sign = (): number => (take('-') ? -sign() : take('+') ? sign() : power())
  const power = (): number => {
    const base = atom()
    return take('^') ? base ** sign() : base
  }
  const atom = (): number => {
    if (!take('(')) return Number(tokens[at++] ?? Number.NaN)
    const value = sum()
    return take(')') ? value : Number.NaN
  }
  const value = sum()
  return at === tokens.length && Number.isFinite(value) ? value : null
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export const formatNumber = (value: number): string =>
  Number.isSafeInteger(value) ? String(value) : String(Number(value.toPrecision(12)))

export const numbersIn = (text: string): number[] =>
  (text.match(/(?<![\w.])-?\d+(?:\.\d+)?(?![\w])/g) ?? []).map(Number).filter(Number.isFinite)

/** A change asked for to an earlier result: "add 3 to your last answer", "double it". */
export function changeOf(text: string, last: number): Sum | null {
  const plain = toSymbols(text)
  for (const [pattern, compute, symbol] of CHANGES) {
    const match = pattern.exec(plain)
    if (!match) continue
    const operand = Number(match[1] ?? 2)
    return { expression: `${formatNumber(last)} ${symbol} ${operand}`, value: compute(last, operand) }
  }
  return null
}

const IT = '(?:it|that|this|(?:to |from |by )?(?:the|your) (?:last|previous) (?:answer|result|number))'
const CHANGES: readonly (readonly [RegExp, (last: number, operand: number) => number, string])[] = [
  [new RegExp(`\\badd ${N} to ${IT}`, 'i'), (last, operand) => last + operand, '+'],
  [new RegExp(`\\bsubtract ${N} from ${IT}`, 'i'), (last, operand) => last - operand, '-'],
  [new RegExp(`\\bmultiply ${IT} (?:by|with) ${N}`, 'i'), (last, operand) => last * operand, '*'],
  [new RegExp(`\\bdivide ${IT} by ${N}`, 'i'), (last, operand) => last / operand, '/'],
  [new RegExp(`\\bdouble ${IT}`, 'i'), (last, operand) => last * operand, '*'],
]
