/**
 * The official SDK's types as an oracle: everything the server sends must be assignable to what the SDK declares.
 * Where we differ on purpose, `KNOWN_DISAGREEMENTS` says so by name, and nothing else is forgiven.
 */
import assert from 'node:assert/strict'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { loadSdkSchemas, type SdkSchema, type SdkSchemas, type SdkType } from './generate-sdk-schemas.ts'
import { KNOWN_DISAGREEMENTS } from './known-disagreements.ts'

const MAX_SHOWN_ERRORS = 8

export const assertSdkResponse = (value: unknown): void => assertSdk('SdkResponse', value)
/** A server-sent event as the client gets it. */
export const assertSdkEvent = (value: unknown): void => assertSdk('SdkEvent', value)
/** An item as it is listed. */
export const assertSdkItem = (value: unknown): void => assertSdk('SdkItem', value)
export const assertSdkItemList = (value: unknown): void => assertSdk('SdkItemList', value)
export const assertSdkInputTokens = (value: unknown): void => assertSdk('SdkInputTokens', value)
export const assertSdkConversation = (value: unknown): void => assertSdk('SdkConversation', value)
export const assertSdkDeletedConversation = (value: unknown): void => assertSdk('SdkDeletedConversation', value)
/** An item as a conversation lists it. */
export const assertSdkConversationItem = (value: unknown): void => assertSdk('SdkConversationItem', value)
export const assertSdkConversationItemList = (value: unknown): void => assertSdk('SdkConversationItemList', value)
export const assertSdkFile = (value: unknown): void => assertSdk('SdkFile', value)
export const assertSdkDeletedFile = (value: unknown): void => assertSdk('SdkDeletedFile', value)
export const assertSdkUpload = (value: unknown): void => assertSdk('SdkUpload', value)
export const assertSdkUploadPart = (value: unknown): void => assertSdk('SdkUploadPart', value)
export const assertSdkModel = (value: unknown): void => assertSdk('SdkModel', value)

function assertSdk(type: SdkType, value: unknown): void {
  // What travels is JSON: undefined fields are absent, and nothing else survives.
  const sent: unknown = JSON.parse(JSON.stringify(value))
  const check = validatorFor(type, discriminatorOf(sent))
  if (check(sent)) return
  assert.fail(`not assignable to ${type}:\n${describe(check.errors ?? [])}\n${JSON.stringify(sent, null, 2)}`)
}

/** Deepest first: in a failed union that is the branch that was meant. */
function describe(errors: readonly ErrorObject[]): string {
  const depth = ({ instancePath }: ErrorObject) => instancePath.split('/').length
  const sorted = errors.toSorted((a, b) => depth(b) - depth(a))
  const lines = sorted.map(
    ({ instancePath, message, params }) => `  ${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  )
  return [...new Set(lines)].slice(0, MAX_SHOWN_ERRORS).join('\n')
}

function discriminatorOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value)) return null
  return typeof value.type === 'string' ? value.type : null
}

const validators = new Map<string, ValidateFunction>()
let loaded: { ajv: Ajv; schemas: SdkSchemas } | null = null

function validatorFor(type: SdkType, discriminator: string | null): ValidateFunction {
  const key = `${type} ${discriminator}`
  const known = validators.get(key)
  if (known) return known
  loaded ??= loadPatched()
  const validate = loaded.ajv.compile(narrow(loaded.schemas, type, discriminator))
  validators.set(key, validate)
  return validate
}

function loadPatched() {
  const schemas = loadSdkSchemas()
  for (const { patch } of KNOWN_DISAGREEMENTS) patch(schemas.definitions)
  const ajv = new Ajv({ strict: false, allErrors: true })
  ajv.addSchema({ $id: 'sdk', definitions: rewriteRefs(schemas.definitions) })
  return { ajv, schemas }
}

const rewriteRefs = (definitions: SdkSchemas['definitions']): object =>
  JSON.parse(JSON.stringify(definitions).replaceAll('"#/definitions/', '"sdk#/definitions/'))

/**
 * Of a union, only the branches with the `type` of the value. Some branches of the SDK's unions leave most fields
 * optional, and would let a broken item of another type pass.
 */
function narrow({ definitions }: SdkSchemas, type: SdkType, discriminator: string | null): SdkSchema {
  const branches = discriminator === null ? [] : branchesOf(definitions, type)
  const fitting = branches.filter((name) => typesOf(definitions[name]).includes(discriminator ?? ''))
  assert.ok(branches.length === 0 || fitting.length > 0, `${type} has no branch with type '${discriminator}'`)
  const names = fitting.length > 0 ? fitting : [type]
  return { anyOf: names.map((name) => ({ $ref: `sdk#/definitions/${name}` })) }
}

function branchesOf(definitions: SdkSchemas['definitions'], name: string): string[] {
  const { anyOf, $ref } = definitions[name] ?? {}
  if (typeof $ref === 'string') return branchesOf(definitions, nameOf($ref))
  if (!Array.isArray(anyOf)) return []
  return anyOf.flatMap((branch: { $ref?: string }) => {
    const inner = branchesOf(definitions, nameOf(branch.$ref ?? ''))
    return inner.length > 0 ? inner : [nameOf(branch.$ref ?? '')]
  })
}

const nameOf = (ref: string) => ref.replace('#/definitions/', '')

function typesOf(schema: SdkSchema | undefined): readonly unknown[] {
  const type =
    schema?.properties && typeof schema.properties === 'object' && 'type' in schema.properties
      ? schema.properties.type
      : null
  if (typeof type !== 'object' || type === null) return []
  if ('const' in type) return [type.const]
  return 'enum' in type && Array.isArray(type.enum) ? type.enum : []
}
