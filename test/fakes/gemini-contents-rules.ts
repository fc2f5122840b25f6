/** The checks the real API makes of a conversation, and stricter ones where it is lax and we promise more. */
import { isJson, type Json } from './chat-validate.ts'
import { DUMMY_SIGNATURES, signatureOf } from './gemini-signature.ts'
import { badField, type GeminiRefusal } from './gemini-status.ts'

const PART_FIELDS = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse']
const EXTRA_FIELDS = ['thought', 'thoughtSignature']
const INNER_FIELDS: Readonly<Record<string, readonly string[]>> = {
  inlineData: ['mimeType', 'data'],
  fileData: ['mimeType', 'fileUri'],
  functionCall: ['id', 'name', 'args'],
  functionResponse: ['id', 'name', 'response', 'parts'],
}
const MEDIA =
  /^(application\/pdf|image\/(png|jpeg|webp|heic|heif)|audio\/(wav|mp3|aiff|aac|ogg|flac)|video\/(mp4|mpeg|webm|quicktime))$/

export function checkContents(contents: unknown, signed: boolean): GeminiRefusal | null {
  if (!Array.isArray(contents) || contents.length === 0) {
    return badField('contents', 'GenerateContentRequest.contents: contents is not specified')
  }
  for (const [index, content] of contents.entries()) {
    const at = `contents[${index}]`
    if (!isJson(content)) return badField(at, `Invalid value at '${at}'.`)
    const refusal = checkContent(content, at) ?? checkOrder(content, contents[index - 1], at)
    if (refusal) return refusal
  }
  const last: unknown = contents.at(-1)
  if (isJson(last) && callsOf(last).length > 0) return unanswered(`contents[${contents.length - 1}]`)
  return signed ? checkSignatures(contents) : null
}

function checkContent(content: Json, at: string): GeminiRefusal | null {
  const { role, parts, ...rest } = content
  const [unknown] = Object.keys(rest)
  if (unknown) return unknownName(unknown, at)
  if (role !== 'user' && role !== 'model') return badField(`${at}.role`, 'Please use a valid role: user, model.')
  if (!Array.isArray(parts) || parts.length === 0) {
    return badField(`${at}.parts`, `GenerateContentRequest.${at}.parts: contents.parts must not be empty.`)
  }
  for (const [index, part] of parts.entries()) {
    const refusal = checkPart(part, role, `${at}.parts[${index}]`)
    if (refusal) return refusal
  }
  return null
}

function checkPart(part: unknown, role: string, at: string): GeminiRefusal | null {
  if (!isJson(part)) return badField(at, `Invalid value at '${at}'.`)
  const unknown = Object.keys(part).find((key) => !PART_FIELDS.includes(key) && !EXTRA_FIELDS.includes(key))
  if (unknown) return unknownName(unknown, at)
  const data = PART_FIELDS.filter((key) => part[key] !== undefined)
  const [kind] = data
  if (data.length !== 1 || !kind) return badField(at, `${at}.data: required oneof field 'data' must have one field`)
  if (part.text === '' && part.thoughtSignature === undefined)
    return badField(at, `Unable to submit an empty text part.`)
  const value = part[kind]
  if (kind === 'text') return typeof value === 'string' ? null : badField(`${at}.text`, 'A text is a string.')
  if (!isJson(value)) return badField(`${at}.${kind}`, `Invalid value at '${at}.${kind}'.`)
  const stranger = Object.keys(value).find((key) => !INNER_FIELDS[kind]?.includes(key))
  if (stranger) return unknownName(stranger, `${at}.${kind}`)
  if ((kind === 'functionCall') !== (role === 'model')) {
    return badField(at, `A ${kind} cannot stand in a content of the role ${role}.`)
  }
  return checkValue(kind, value, `${at}.${kind}`)
}

function checkValue(kind: string, value: Json, at: string): GeminiRefusal | null {
  if (kind === 'inlineData') {
    if (!MEDIA.test(String(value.mimeType))) return badField(at, `Unsupported MIME type: ${value.mimeType}`)
    const isBase64 = typeof value.data === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value.data)
    return isBase64
      ? null
      : badField(`${at}.data`, `Invalid value at '${at}.data' (TYPE_BYTES), Base64 decoding failed`)
  }
  if (kind === 'fileData') return typeof value.fileUri === 'string' ? null : badField(at, 'file_uri is required')
  if (typeof value.name !== 'string' || value.name === '') return badField(`${at}.name`, `${at}.name: Name is required`)
  const object = kind === 'functionCall' ? value.args : value.response
  return isJson(object) ? null : badField(at, `Invalid value at '${at}' (type.googleapis.com/google.protobuf.Struct)`)
}

const partsOf = (content: Json) => (Array.isArray(content.parts) ? content.parts.filter(isJson) : [])
const callsOf = (content: Json) =>
  partsOf(content).flatMap(({ functionCall }) => (isJson(functionCall) ? [functionCall] : []))
const responsesOf = (content: Json) =>
  partsOf(content).flatMap(({ functionResponse }) => (isJson(functionResponse) ? [functionResponse] : []))

const unanswered = (at: string) =>
  badField(
    at,
    'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
  )

function checkOrder(content: Json, before: unknown, at: string): GeminiRefusal | null {
  const previous = isJson(before) ? before : null
  if ((previous?.role ?? 'model') === content.role)
    return badField(at, 'Please ensure that roles alternate, user first.')
  const calls = previous ? callsOf(previous) : []
  const responses = responsesOf(content)
  if (calls.length !== responses.length) return unanswered(at)
  const mixed = calls.findIndex(
    (call, index) => call.name !== responses[index]?.name || call.id !== responses[index]?.id,
  )
  if (mixed >= 0) return badField(at, 'The names and ids of function responses must be those of the function calls.')
  const leading = partsOf(content).slice(0, responses.length)
  return leading.every((part) => part.functionResponse) ? null : badField(at, 'Function responses must come first.')
}

/** Every step of the current turn must begin its calls signed; a signature anywhere must be the part's own. */
function checkSignatures(contents: readonly unknown[]): GeminiRefusal | null {
  const turn = contents.findLastIndex(
    (content) => isJson(content) && content.role === 'user' && !hasOnlyResponses(content),
  )
  for (const [index, content] of contents.entries()) {
    if (!isJson(content) || content.role !== 'model') continue
    const parts = partsOf(content)
    const first = parts.find(({ functionCall }) => functionCall !== undefined)
    if (index > turn && first && first.thoughtSignature === undefined) {
      const name = isJson(first.functionCall) ? first.functionCall.name : ''
      return badField(
        `contents[${index}]`,
        `Function call \`${name}\` in the ${index}. content block is missing a \`thought_signature\`.`,
      )
    }
    const broken = parts.find((part, at) => !isOwn(part, parts[at - 1]))
    if (broken) return badField(`contents[${index}]`, 'Thought signature is not valid.')
  }
  return null
}

const hasOnlyResponses = (content: Json) => partsOf(content).every((part) => part.functionResponse !== undefined)

const isOwn = (part: Json, before: Json | undefined): boolean =>
  part.thoughtSignature === undefined ||
  DUMMY_SIGNATURES.includes(part.thoughtSignature) ||
  part.thoughtSignature === signatureOf(part, String(before?.text ?? ''))

export const unknownName = (name: string, at: string): GeminiRefusal =>
  badField(at, `Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`)
