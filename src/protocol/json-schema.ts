/** The part of JSON Schema that the schemas of the contract use. A TypeBox schema is one by construction. */
export type JsonSchema = {
  readonly title?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly not?: object
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
}

/** Length as JSON Schema counts it. Not by iterating the text, which takes half a second for 20 MB of it. */
export function codePoints(text: string): number {
  if (!SURROGATE.test(text)) return text.length
  let count = text.length
  for (let at = 1; at < text.length; at++) {
    if (!isLow(text.charCodeAt(at)) || !isHigh(text.charCodeAt(at - 1))) continue
    count--
    at++
  }
  return count
}

const SURROGATE = /[\ud800-\udbff]/
const isHigh = (unit: number) => (unit & 0xfc00) === 0xd800
const isLow = (unit: number) => (unit & 0xfc00) === 0xdc00
