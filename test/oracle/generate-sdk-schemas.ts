/**
 * JSON Schemas of the wire types that the official SDK declares, made from its `.d.ts` files. Generating takes some
 * seconds, so the result is kept under `node_modules/.cache`, named by the versions of the SDK and of the generator
 * and by a checksum of the list of types.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { createGenerator } from 'ts-json-schema-generator'

export const SDK_TYPES = [
  'SdkResponse',
  'SdkEvent',
  'SdkItem',
  'SdkItemList',
  'SdkInputItem',
  'SdkCreateParams',
  'SdkInputTokensParams',
  'SdkInputTokens',
  'SdkModel',
  'SdkConversation',
  'SdkDeletedConversation',
  'SdkConversationItem',
  'SdkConversationItemList',
  'SdkFile',
  'SdkDeletedFile',
  'SdkUpload',
  'SdkUploadPart',
] as const
export type SdkType = (typeof SDK_TYPES)[number]

export type SdkSchema = { [keyword: string]: unknown }
/** All named types of the SDK that the entry types reach; they refer to each other by `#/definitions/<name>`. */
export type SdkSchemas = { readonly definitions: Record<string, SdkSchema> }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = join(ROOT, 'node_modules')
const ENTRY = fileURLToPath(new URL('sdk-types.ts', import.meta.url))

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')).version

export function loadSdkSchemas(): SdkSchemas {
  const folder = join(PACKAGES, '.cache', 'antiphon')
  const list = crc32(readFileSync(ENTRY)).toString(16)
  const name = `sdk-schemas-${versionOf('openai')}-${versionOf('ts-json-schema-generator')}-${list}.json`
  const file = join(folder, name)
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    const schemas = generateSdkSchemas()
    mkdirSync(folder, { recursive: true })
    // Several test processes may get here at once: each writes its own file, and the rename is atomic.
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, JSON.stringify(schemas))
    renameSync(draft, file)
    return schemas
  }
}

function generateSdkSchemas(): SdkSchemas {
  const generator = createGenerator({
    path: ENTRY,
    tsconfig: join(ROOT, 'tsconfig.json'),
    type: [...SDK_TYPES],
    skipTypeCheck: true,
    additionalProperties: true,
    encodeRefs: false,
    jsDoc: 'none',
  })
  const definitions: Record<string, SdkSchema> = {}
  for (const type of SDK_TYPES) Object.assign(definitions, generator.createSchema(type).definitions)
  const beta = Object.keys(definitions).filter((name) => name.startsWith('Beta'))
  assert.deepEqual(beta, [], 'the entry types reach beta types: the generator took a name for another one')
  return { definitions }
}
