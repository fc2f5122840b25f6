/** A chat model that answers with pictures, over the Chat Completions API as OpenRouter and others have it. */
import { toDataUrl } from '../image-bytes.ts'
import { type Drawing, type ImageEngine, ImageError, type ImageField, type ImageSettings } from '../image-engine.ts'
import { readAddress, toDrawing } from './answered-image.ts'
import { askImageEngine, type EngineParts, fieldsOf, malformed } from './ask-image-engine.ts'
import { otherModel } from './other-model.ts'

export const createChatImages = (parts: EngineParts & { readonly model: string }): ImageEngine => ({
  name: 'chat',
  refusal(settings) {
    const field = FIXED.find((name) => settings[name] !== FIXED_VALUES[name])
    if (field === undefined && !settings.hasMask) return otherModel(settings, parts.model)
    return {
      field: field ?? 'input_image_mask',
      advice: 'cannot be chosen: a chat model draws the images of this server. Leave it out.',
    }
  },
  async *draw({ prompt, images }, signal): AsyncGenerator<Drawing, Drawing> {
    const pictures = images.map((image) => ({ type: 'image_url', image_url: { url: toDataUrl(image) } }))
    const content = pictures.length === 0 ? prompt : [{ type: 'text', text: prompt }, ...pictures]
    const body = JSON.stringify({
      model: parts.model,
      modalities: ['image', 'text'],
      messages: [{ role: 'user', content }],
    })
    const call = { path: '/chat/completions', contentType: 'application/json', body, signal }
    for await (const { type, value } of askImageEngine(call, parts)) {
      if (type === 'json') return toDrawing(await readAddress(addressIn(value), parts, signal), null)
    }
    throw malformed('the image engine sent a stream that nobody asked for')
  },
})

const FIXED_VALUES = {
  size: 'auto',
  quality: 'auto',
  background: 'auto',
  output_format: 'png',
  output_compression: 100,
  moderation: 'auto',
  partial_images: 0,
  input_fidelity: null,
} as const satisfies Partial<ImageSettings>
const FIXED = Object.keys(FIXED_VALUES).filter(
  (name): name is keyof typeof FIXED_VALUES & ImageField => name in FIXED_VALUES,
)

/** Beside the text, as `images`, or among the parts of the content. Throws `ImageError`. */
function addressIn(reply: unknown): string {
  const { choices } = fieldsOf(reply)
  const message = fieldsOf(fieldsOf(Array.isArray(choices) ? choices[0] : null).message)
  const rows = [message.images, message.content].flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
  for (const row of rows) {
    const { url } = fieldsOf(fieldsOf(row).image_url)
    if (typeof url === 'string') return url
  }
  const text = typeof message.content === 'string' ? message.content.replace(/\s+/g, ' ').trim().slice(0, 300) : ''
  throw new ImageError('refused', `the image engine drew nothing${text && `, and said: ${text.toWellFormed()}`}`)
}
