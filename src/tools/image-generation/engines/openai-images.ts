/** The images API of OpenAI, and of all who copy it: `/images/generations` and `/images/edits`. */
import { createHash } from 'node:crypto'
import type { Drawing, ImageEngine, ImageJob, ImageSettings } from '../image-engine.ts'
import { readAnswered, toDrawing } from './answered-image.ts'
import { askImageEngine, type EngineCall, type EngineParts, fieldsOf, malformed } from './ask-image-engine.ts'
import { encodeMultipart, type FormPart } from './multipart.ts'
import { otherModel } from './other-model.ts'

const DEFAULT_MODEL = 'gpt-image-1'
/** Who always answers in base64, and refuses to be asked for it. */
const ALWAYS_BASE64 = /(?:^|\/)(?:chatgpt|gpt)-image/

export const createOpenAiImages = (parts: EngineParts): ImageEngine => ({
  name: 'openai',
  refusal: (settings) => otherModel(settings, parts.model) ?? unsupported(settings),
  async *draw(job, signal) {
    const call = job.images.length === 0 ? generation(job, parts) : edit(job, parts)
    for await (const { type, value } of askImageEngine({ ...call, signal }, parts)) {
      const said = fieldsOf(value)
      if (type === 'json') return await readReply(said, parts, signal)
      if (said.type === 'error' || said.error) throw malformed('the image engine broke off')
      if (!/^image_(?:generation|edit)\./.test(String(said.type))) continue
      const drawing = toDrawing(await readAnswered(said, parts, signal), said)
      if (String(said.type).endsWith('.completed')) return drawing
      yield drawing
    }
    throw malformed('the image engine ended without an image')
  },
})

async function readReply(
  said: Readonly<Record<string, unknown>>,
  parts: EngineParts,
  signal: AbortSignal,
): Promise<Drawing> {
  const row: unknown = Array.isArray(said.data) ? said.data[0] : undefined
  return toDrawing(await readAnswered(fieldsOf(row), parts, signal), { ...said, ...fieldsOf(row) })
}

/** The endpoint for edits knows no `moderation`. */
const unsupported = ({ action, moderation }: ImageSettings) =>
  action === 'edit' && moderation === 'low'
    ? { field: 'moderation' as const, advice: "cannot be 'low' for edits. Leave it out." }
    : null

/** Only what is not left to the engine: those who copy the API rarely know all of it. */
function fieldsFor(
  { prompt, settings }: ImageJob,
  parts: EngineParts,
): Readonly<Record<string, string | number | boolean>> {
  const { size, quality, background, output_format, output_compression, partial_images } = settings
  const model = parts.model ?? settings.model ?? DEFAULT_MODEL
  return {
    model,
    prompt,
    n: 1,
    ...(!ALWAYS_BASE64.test(model) && { response_format: 'b64_json' }),
    ...(size !== 'auto' && { size }),
    ...(quality !== 'auto' && { quality }),
    ...(background !== 'auto' && { background }),
    ...(output_format !== 'png' && { output_format }),
    ...(output_compression !== 100 && { output_compression }),
    ...(partial_images > 0 && { stream: true, partial_images }),
  }
}

type Call = Omit<EngineCall, 'signal'>

function generation(job: ImageJob, parts: EngineParts): Call {
  const { moderation } = job.settings
  const fields = { ...fieldsFor(job, parts), ...(moderation !== 'auto' && { moderation }) }
  return { path: '/images/generations', contentType: 'application/json', body: JSON.stringify(fields) }
}

function edit(job: ImageJob, parts: EngineParts): Call {
  const { input_fidelity } = job.settings
  const fields = { ...fieldsFor(job, parts), ...(input_fidelity && { input_fidelity }) }
  const form: FormPart[] = Object.entries(fields).map(([name, value]) => ({ name, value: String(value) }))
  const name = job.images.length > 1 ? 'image[]' : 'image'
  for (const [index, { format, bytes }] of job.images.entries())
    form.push({ name, filename: `image-${index + 1}.${format}`, contentType: `image/${format}`, bytes })
  if (job.mask) {
    const { format, bytes } = job.mask
    form.push({ name: 'mask', filename: `mask.${format}`, contentType: `image/${format}`, bytes })
  }
  return { path: '/images/edits', ...encodeMultipart(form, boundaryOf(form)) }
}

/** Of the content, so that no part can hold it: whoever wrote one would have had to know the digest of all. */
function boundaryOf(form: readonly FormPart[]): string {
  const hash = createHash('sha256')
  for (const part of form) hash.update('bytes' in part ? part.bytes : part.value)
  return `antiphon-${hash.digest('hex')}`
}
