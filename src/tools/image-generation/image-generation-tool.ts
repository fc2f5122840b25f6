/** `image_generation`, run here: one function for the model, for drawing and for changing what was drawn or sent. */
import { badRequest } from '../../protocol/errors.ts'
import type { ImageGenerationCall } from '../../protocol/hosted-items.ts'
import type { ToolParam, ToolSpec } from '../../protocol/tools.ts'
import type { DeclaredTool, FinishedCall, Tool, ToolContext, ToolOutcome, ToolStep } from '../tool.ts'
import { type Drawing, type ImageEngine, ImageError, type ImageJob, type ImageSettings } from './image-engine.ts'
import { checkSettings, imageParam, settingsOf } from './image-settings.ts'
import { choosePictures, loadPicture, type Picture, type PictureParts, picturesOf } from './input-images.ts'
import { type DrawingWish, parametersFor, readDrawing } from './read-drawing.ts'

export type ImageGenerationOptions = PictureParts & {
  readonly engine: ImageEngine
  /** Pictures that one response may have drawn. */
  readonly maxImages: number
  /** Whether every model may use it, or the demo model alone. */
  readonly isFor: NonNullable<Tool['isFor']>
  /** Told of what the operator should know of. */
  readonly onFailure: (error: ImageError) => void
}

/** The name the model knows it by. */
export const IMAGE_GENERATION_NAME = 'image_generation'

export function createImageGenerationTool(options: ImageGenerationOptions): Tool {
  /** Pictures drawn for each response; its context lives as long as it does. */
  const drawn = new WeakMap<ToolContext, number>()
  const mayDraw = (context: ToolContext) => {
    const count = drawn.get(context) ?? 0
    drawn.set(context, count + 1)
    return count < options.maxImages
  }
  return {
    isFor: options.isFor,
    // A provider is listed as running it by its operator alone, who means it then.
    yieldsToProvider: () => true,
    claims: ({ type }) => type === 'image_generation',
    echo: (spec) => echo(spec),
    async admit(spec, path, { projectId, isCarried }) {
      const { file_id: fileId, image_url: url } = imageParam(spec).input_image_mask ?? {}
      // A provider looks for it among its own files; of two masks `declare` tells.
      if (fileId === undefined || url !== undefined || isCarried) return
      if (await options.source.open(projectId, fileId, new AbortController().signal)) return
      const where = `${path}.input_image_mask.file_id`
      throw badRequest(where, 'file_not_found', `No such File object: ${fileId.slice(0, 100)}`)
    },
    declare: (spec, path) => [declare(spec, checkSettings(imageParam(spec), options.engine, path))],
    open: ({ itemId }) => ({ id: itemId, type: 'image_generation_call', status: 'in_progress', result: null }),
    execute: (call, context) => execute(call, context, { ...options, mayDraw }),
  }
}

/** A mask is as large as a picture, and the client's own: it is not sent back. */
function echo(spec: ToolParam): ToolSpec {
  const { input_image_mask: mask, ...rest } = imageParam(spec)
  const { model, hasMask: _, ...settings } = settingsOf(imageParam(spec))
  const isSmall = mask && !/^data:/i.test(mask.image_url ?? '')
  return {
    ...rest,
    ...settings,
    ...(model !== null && { model }),
    ...(mask && { input_image_mask: isSmall ? mask : {} }),
  }
}

const WHAT =
  'Makes a picture and shows it to the user. Use it when the user wants something drawn, painted or shown as an image.'
const CHANGES = ' It can also change pictures that the user sent or that it made.'
const NEVER_REPEAT = ' The picture appears by itself: do not describe it at length, and write no link to it.'

function declare(spec: ToolParam, settings: ImageSettings): DeclaredTool {
  return {
    declaration: {
      type: 'function',
      name: IMAGE_GENERATION_NAME,
      description: `${WHAT}${settings.action === 'generate' ? '' : CHANGES}${NEVER_REPEAT}`,
      parameters: parametersFor(settings),
      strict: false,
    },
    name: IMAGE_GENERATION_NAME,
    namespace: null,
    spec,
  }
}

type Running = ImageGenerationOptions & { readonly mayDraw: (context: ToolContext) => boolean }

async function* execute(
  call: FinishedCall,
  context: ToolContext,
  running: Running,
): AsyncGenerator<ToolStep, ToolOutcome> {
  const { item } = call
  if (item?.type !== 'image_generation_call') throw new TypeError('a picture is drawn in an item of its own')
  const settings = settingsOf(imageParam(call.declared.spec))
  yield { type: 'progress', event: { type: 'response.image_generation_call.in_progress' } }
  const read = readDrawing(call, settings)
  if (!read.ok) {
    yield { type: 'finish', item: { ...item, status: 'failed' } }
    return read.outcome
  }
  yield { type: 'progress', event: { type: 'response.image_generation_call.generating' } }
  const asked = { ...item, action: read.wish.action, revised_prompt: read.wish.prompt }
  try {
    const job = await jobOf(call, read.wish, settings, { context, running })
    const drawing = yield* drawingSteps(job, context.signal, running.engine)
    yield { type: 'progress', event: { type: 'response.image_generation_call.completed' } }
    const done = { ...asked, ...shownOf(drawing, settings), status: 'completed' as const }
    yield { type: 'finish', item: done }
    return { type: 'result', output: tell(done, picturesOf(context.items()).flat().length + 1) }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    if (error.kind !== 'input' && error.kind !== 'aborted') running.onFailure(error)
    yield { type: 'finish', item: { ...asked, status: 'failed' } }
    return { type: 'result', output: `The image could not be made: ${error.message}.` }
  }
}

type Around = { readonly context: ToolContext; readonly running: Running }

async function jobOf(
  { declared }: FinishedCall,
  wish: DrawingWish,
  settings: ImageSettings,
  { context, running }: Around,
): Promise<ImageJob> {
  if (!running.mayDraw(context))
    throw new ImageError('input', `one response makes at most ${running.maxImages} images; answer with what there is`)
  const { prompt, action } = wish
  if (action === 'generate') return { prompt, settings, images: [], mask: null }
  const images = []
  for (const picture of choosePictures(context.items(), wish)) images.push(await loadPicture(picture, running, context))
  const given = maskOf(declared)
  const mask = given && (await loadPicture(given, running, context))
  return { prompt, settings, images, mask }
}

function maskOf({ spec }: DeclaredTool): Picture | null {
  const { image_url: url, file_id: fileId } = imageParam(spec).input_image_mask ?? {}
  if (fileId !== undefined) return { type: 'file', fileId }
  return url === undefined ? null : { type: 'url', url }
}

async function* drawingSteps(
  job: ImageJob,
  signal: AbortSignal,
  engine: ImageEngine,
): AsyncGenerator<ToolStep, Drawing> {
  const steps = engine.draw(job, signal)
  let sights = 0
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done) return step.value
    // An engine that shows more than it was asked for.
    if (sights === job.settings.partial_images) continue
    const { size, quality, background, output_format } = shownOf(step.value, job.settings)
    yield {
      type: 'progress',
      event: {
        type: 'response.image_generation_call.partial_image',
        partial_image_index: sights,
        partial_image_b64: step.value.bytes.toString('base64'),
        ...(size && { size }),
        quality,
        background,
        output_format,
      },
    }
    sights += 1
  }
}

/** As the picture is: its own bytes tell its format and size, whatever was asked for. */
function shownOf(drawing: Drawing, settings: ImageSettings) {
  return {
    result: drawing.bytes.toString('base64'),
    output_format: drawing.format,
    size: drawing.size,
    quality: drawing.quality ?? settings.quality,
    background: drawing.background ?? settings.background,
    ...(drawing.revisedPrompt !== null && { revised_prompt: drawing.revisedPrompt }),
  }
}

/** `number`: of this picture among those of the conversation. */
const tell = ({ size, output_format }: Pick<ImageGenerationCall, 'size' | 'output_format'>, number: number) =>
  `The image was made and the user sees it. It is image ${number} of the conversation${size ? ` (${output_format}, ${size})` : ''}.`
