/** A form with one file (`multipart/form-data`) as the engine takes it, read as it arrives. */
import { type IncomingFile, type IncomingForm, RunAbort } from '../engine/engine.ts'
import type { Clock } from '../lib/clock.ts'
import { typeOfFile } from '../lib/media-type.ts'
import { boundaryOf, MultipartError, type MultipartPart, parseMultipart } from '../lib/multipart.ts'
import { ApiError, badRequest, missingParameter } from '../protocol/errors.ts'
import { toFileName } from '../protocol/file-name.ts'
import { clip } from '../protocol/invalid-texts.ts'
import type { FormFields } from '../protocol/read-file-form.ts'
import { bodyChunks } from './body-chunks.ts'
import type { AuthorizedCall } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import { cutShort } from './read-json-body.ts'
import { shuttingDown } from './serve-route.ts'

export type FormShape<Fields> = {
  /** The field that holds the file. */
  readonly file: string
  /** Throws for a field that is wrong; others may still come. */
  check(fields: FormFields): void
  /** All fields, checked. */
  read(fields: FormFields): Fields
}

type Ports = { readonly clock: Clock; readonly limits: HttpLimits }

export const FORM_LIMITS = { headBytes: 16 * 1024, parts: 64 } as const
/** Of one field that is no file. */
export const MAX_FIELD_BYTES = 4 * 1024

/** Throws 400 or 415 at once for what is no form. */
export function openForm<Fields>(call: AuthorizedCall, shape: FormShape<Fields>, ports: Ports): IncomingForm<Fields> {
  const { request, exchange, caller } = call
  const boundary = boundaryIn(request.headers)
  const length = request.headers['content-length']
  const { clock, limits } = ports
  const body = () => bodyChunks(request, { clock, timeMs: limits.formTimeMs, stallMs: limits.stallMs }, caller.signal)
  exchange.lingers = true
  return {
    expectedBytes: length === undefined ? null : Number(length),
    async read(take) {
      try {
        return await readParts(parseMultipart(body(), boundary, FORM_LIMITS), shape, take)
      } catch (error) {
        throw toApiError(error)
      }
    },
  }
}

function boundaryIn(headers: AuthorizedCall['request']['headers']): string {
  const type = headers['content-type'] ?? ''
  if (!/^multipart\/form-data\b/i.test(type)) {
    throw new ApiError({ status: 415, message: "Send the file as a form, with 'Content-Type: multipart/form-data'." })
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ApiError({ status: 415, message: 'A form with a file is taken as it is, without Content-Encoding.' })
  }
  const boundary = boundaryOf(type)
  if (boundary === null) throw malformed('its Content-Type has no boundary of 1 to 70 characters')
  return boundary
}

async function readParts<Fields>(
  parts: AsyncIterable<MultipartPart>,
  shape: FormShape<Fields>,
  take: (file: IncomingFile) => Promise<void>,
): Promise<Fields> {
  const fields = new Map<string, string>()
  let taken = false
  for await (const part of parts) {
    if (part.name === shape.file) {
      if (taken) throw badRequest(shape.file, 'invalid_value', `Send one file as '${shape.file}', not several.`)
      taken = true
      shape.check(fields)
      await take(toFile(part, shape.file))
    } else {
      fields.set(part.name, await readField(part, fields))
    }
  }
  const read = shape.read(fields)
  if (!taken) throw missingParameter(shape.file)
  return read
}

function toFile({ filename, contentType, content }: MultipartPart, param: string): IncomingFile {
  if (filename === null) {
    const why = `'${param}' has to be a file with a name, not a text`
    throw badRequest(param, 'invalid_type', `Invalid type for '${param}': ${why}.`)
  }
  const name = toFileName(filename, param)
  return { filename: name, mediaType: typeOfFile(contentType, name), content }
}

async function readField(
  { name, filename, content }: MultipartPart,
  fields: ReadonlyMap<string, string>,
): Promise<string> {
  const shown = clip(name)
  if (filename !== null) throw badRequest(shown, 'invalid_type', `Invalid type for '${shown}': it is no file.`)
  if (fields.has(name)) throw badRequest(shown, 'invalid_value', `Send '${shown}' once, not several times.`)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > MAX_FIELD_BYTES) {
      throw badRequest(shown, 'string_above_max_length', `Invalid '${shown}': at most ${MAX_FIELD_BYTES} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Of those who leave, and of a server that stops, the run's own reason tells nothing to a client. */
function toApiError(error: unknown): unknown {
  if (error instanceof MultipartError) return malformed(error.message)
  if (error instanceof RunAbort) return error.kind === 'shutdown' ? shuttingDown() : cutShort()
  return error
}

const malformed = (why: string) => badRequest(null, null, `The form in the body of your request is malformed: ${why}.`)
