/** The entry of `tools` -> what it says of the picture. What makes no sense is refused by name, whoever draws. */
import { badRequest } from '../../protocol/errors.ts'
import { ImageGenerationToolSchema } from '../../protocol/hosted-tools.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import type { ImageEngine, ImageField, ImageSettings } from './image-engine.ts'

export type ImageParam = Extract<ToolParam, { type: 'image_generation' }>

export function imageParam(spec: ToolParam): ImageParam {
  if (spec.type !== 'image_generation') throw new TypeError(`a tool of type '${spec.type}' draws nothing`)
  return spec
}

export const settingsOf = (spec: ImageParam): ImageSettings => ({
  model: spec.model ?? null,
  action: spec.action ?? 'auto',
  size: spec.size ?? 'auto',
  quality: spec.quality ?? 'auto',
  background: spec.background ?? 'auto',
  output_format: spec.output_format ?? 'png',
  output_compression: spec.output_compression ?? 100,
  moderation: spec.moderation ?? 'auto',
  partial_images: spec.partial_images ?? 0,
  input_fidelity: spec.input_fidelity ?? null,
  hasMask: spec.input_image_mask !== undefined,
})

/** Throws an `ApiError` for what makes no sense, and for what this engine cannot honour. `path`: as `tools[0]`. */
export function checkSettings(spec: ImageParam, engine: ImageEngine, path: string): ImageSettings {
  refuseUnknown(spec, path)
  const settings = settingsOf(spec)
  const problem = contradiction(settings) ?? maskProblem(spec)
  if (problem)
    throw badRequest(
      `${path}.${problem.field}`,
      'invalid_value',
      `Invalid '${path}.${problem.field}': ${problem.advice}`,
    )
  const refusal = engine.refusal(settings)
  if (!refusal) return settings
  const where = `${path}.${refusal.field}`
  throw badRequest(where, 'unsupported_value', `Unsupported value: '${where}' ${refusal.advice}`)
}

/** What is newer than this server, and what a client made up: the picture would be another one. One picture is usual. */
function refuseUnknown(spec: ImageParam, path: string): void {
  for (const [field, value] of Object.entries(spec)) {
    if (KNOWN.has(field) || value === null || (field === 'n' && value === 1)) continue
    const where = `${path}.${field.slice(0, 64)}`
    const advice =
      field === 'n' ? 'a call makes one image; ask for several in the input.' : 'this server does not know it.'
    throw badRequest(where, 'unsupported_parameter', `Unsupported parameter: '${where}': ${advice} Leave it out.`)
  }
}

const KNOWN: ReadonlySet<string> = new Set(Object.keys(ImageGenerationToolSchema.properties))

type Problem = { readonly field: ImageField; readonly advice: string }

const MIN_SIDE = 16
export const MAX_SIDE = 4096
const LONGEST_RATIO = 3

/** Width and height; null for `auto` and for what is no size. */
export function sidesOf(size: string): readonly [width: number, height: number] | null {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? []
  return width === undefined || height === undefined ? null : [Number(width), Number(height)]
}

function contradiction(settings: ImageSettings): Problem | null {
  const { size, output_format: format } = settings
  if (size !== 'auto') {
    const sides = sidesOf(size)
    if (!sides) return { field: 'size', advice: "it has to be 'auto', or width and height as '1024x1536'." }
    const [short, long] = [Math.min(...sides), Math.max(...sides)]
    if (short < MIN_SIDE || long > MAX_SIDE || long > short * LONGEST_RATIO) {
      const bounds = `sides from ${MIN_SIDE} to ${MAX_SIDE} pixels, the longer one at most ${LONGEST_RATIO} times the other.`
      return { field: 'size', advice: bounds }
    }
  }
  if (settings.background === 'transparent' && format === 'jpeg')
    return { field: 'background', advice: "JPEG knows no transparency. Set 'output_format' to 'png' or 'webp'." }
  if (settings.output_compression < 100 && format === 'png')
    return { field: 'output_compression', advice: "PNG loses nothing. Set 'output_format' to 'webp' or 'jpeg'." }
  if (settings.hasMask && settings.action === 'generate')
    return { field: 'input_image_mask', advice: "there is nothing to mask where 'action' is 'generate'." }
  return null
}

function maskProblem({ input_image_mask: mask }: ImageParam): Problem | null {
  if (mask === undefined) return null
  if (mask.file_id !== undefined) {
    if (mask.image_url === undefined) return null
    return { field: 'input_image_mask', advice: "send 'image_url' or 'file_id', not both." }
  }
  const isUrl = /^(https?:\/\/|data:image\/)/i.test(mask.image_url ?? '')
  return isUrl ? null : { field: 'input_image_mask', advice: "'image_url' has to be a URL or a data URL of an image." }
}
