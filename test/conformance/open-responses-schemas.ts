/**
 * What Open Responses says a Response, an item and an event are: its own published schemas, as the pinned package
 * `llmprobe` carries them in its bundle. They are read from there and run, so that no second writing of them can err.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { z } from 'zod/v3'

const BUNDLE = fileURLToPath(new URL('../../node_modules/llmprobe/bin/dist/llmprobe.mjs', import.meta.url))
/** The comments that the bundler left around them. */
const [BEGIN, END] = ['// src/generated/kubb/responses/zod/', '\n// src/surfaces/'] as const
/** What the bundle calls zod. */
const ZOD = 'external_exports'

type Schemas = Readonly<Record<string, z.ZodTypeAny>>

/** By the names they have in the bundle, as `responseResourceSchema`. */
function readSchemas(): Schemas {
  const bundle = readFileSync(BUNDLE, 'utf8')
  const start = bundle.indexOf(BEGIN)
  const end = bundle.indexOf(END, start)
  assert.ok(start > 0 && end > start, 'the bundle of llmprobe holds the schemas')
  const section = bundle.slice(start, end)
  const names = [...section.matchAll(/^var (\w+Schema\d*) = /gm)].map(([, name]) => name)
  return compileFunction(`${section}\nreturn { ${names.join(', ')} }`, [ZOD])(z)
}

const schemas = readSchemas()
const schema = (name: string): z.ZodTypeAny => schemas[name] ?? assert.fail(`there is no ${name}`)

const events = Object.entries(schemas).filter(([name]) => name.endsWith('StreamingEventSchema'))
assert.equal(events.length, 24, 'Open Responses has 24 kinds of events')

function check(what: string, { success, error }: z.SafeParseReturnType<unknown, unknown>, value: unknown): void {
  if (success) return
  const issues = error.issues.map(({ path, message }) => `  ${path.join('.') || '/'}: ${message}`)
  assert.fail(`no ${what} of Open Responses:\n${issues.join('\n')}\n${JSON.stringify(value, null, 2)}`)
}

export const assertResponseResource = (value: unknown): void =>
  check('Response', schema('responseResourceSchema').safeParse(value), value)

const itemOf = () => schema('itemFieldSchema')
/** `messageSchema` is another one of the bundle. */
const usageOf = () => schema(Object.keys(schemas).find((name) => /^usageSchema\d*$/.test(name)) ?? '')

/** The reply of the compact endpoint. */
export function assertCompactResource(value: unknown): void {
  const resource = z.object({
    id: z.string(),
    object: z.literal('response.compaction'),
    created_at: z.number().int(),
    output: z.array(itemOf()),
    usage: usageOf(),
  })
  check('compaction', resource.safeParse(value), value)
}

/** An event of a stream. The schema of its own type speaks, so that a failure says what is wrong with it. */
export function assertStreamingEvent(value: { readonly type?: unknown }): void {
  const own = events.filter(([, it]) => !it.safeParse({ type: value.type }).error?.issues.some(isAboutType))
  assert.equal(own.length, 1, `${String(value.type)} is no event of Open Responses`)
  check('event', (own[0]?.[1] ?? z.never()).safeParse(value), value)
}

const isAboutType = ({ path }: z.ZodIssue) => path[0] === 'type'

/** A refusal on a WebSocket. */
export function assertSocketError(value: unknown): void {
  const error = z.object({ code: z.string(), message: z.string().min(1) })
  check('error event', z.object({ type: z.literal('error'), status: z.number().int(), error }).safeParse(value), value)
}
