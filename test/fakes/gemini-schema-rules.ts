/** The part of JSON Schema that the Gemini API takes: the list of its documentation, and what it says of each. */
import { isJson } from './chat-validate.ts'
import { badField, type GeminiRefusal } from './gemini-status.ts'

const KEYWORDS: ReadonlySet<string> = new Set(
  `$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum anyOf
  oneOf properties additionalProperties required propertyOrdering`.split(/\s+/),
)

export function checkGeminiSchema(schema: unknown, field: string): GeminiRefusal | null {
  if (!isJson(schema)) return badField(field, `Invalid value at '${field}': a schema is an object.`)
  const unknown = Object.keys(schema).find((key) => !KEYWORDS.has(key))
  if (unknown) return badField(field, `Unknown keyword "${unknown}" in the JSON schema at '${field}'.`)
  if ('$ref' in schema && Object.keys(schema).some((key) => !key.startsWith('$'))) {
    return badField(field, `No other field may be set beside $ref at '${field}'.`)
  }
  if (Array.isArray(schema.enum) && schema.enum.some((value) => !['string', 'number'].includes(typeof value))) {
    return badField(`${field}.enum`, `Only texts and numbers may be listed at '${field}.enum'.`)
  }
  for (const [name, child] of childrenOf(schema)) {
    const refusal = checkGeminiSchema(child, `${field}.${name}`)
    if (refusal) return refusal
  }
  return null
}

function childrenOf(schema: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  const { properties, $defs, additionalProperties } = schema
  const maps = [properties, $defs].flatMap((map) => (isJson(map) ? Object.entries(map) : []))
  const lists = ['anyOf', 'oneOf', 'prefixItems'].flatMap((key) => {
    const list = schema[key]
    return Array.isArray(list) ? list.map((entry, index) => [`${key}[${index}]`, entry] as const) : []
  })
  const single = schema.items === undefined ? [] : [['items', schema.items] as const]
  const open = typeof additionalProperties === 'object' ? [['additionalProperties', additionalProperties] as const] : []
  return [...maps, ...lists, ...single, ...open]
}
