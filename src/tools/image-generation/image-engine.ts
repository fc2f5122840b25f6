/** PORT: something that draws pictures. One call draws one; nothing is tried twice, since each try is paid for. */
import type { ImageFormat } from '../../lib/image-format.ts'

export interface ImageEngine {
  /** As messages name it. */
  readonly name: string
  /** What of these settings it cannot honour; null: nothing. Asked before anything is drawn. */
  refusal(settings: ImageSettings): SettingRefusal | null
  /** First sights of the picture, at most as many as were asked for, then the picture. Throws `ImageError`. */
  draw(job: ImageJob, signal: AbortSignal): AsyncGenerator<Drawing, Drawing>
}

/** What a request says of the picture, by the names of the API, with its defaults. */
export type ImageSettings = {
  /** Null: the engine's own. */
  readonly model: string | null
  readonly action: 'auto' | 'generate' | 'edit'
  /** `auto`, or width and height as `1024x1536`. */
  readonly size: string
  readonly quality: 'auto' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  readonly background: 'auto' | 'transparent' | 'opaque'
  readonly output_format: 'png' | 'webp' | 'jpeg' | 'gif' | 'svg'
  readonly output_compression: number
  readonly moderation: 'auto' | 'low'
  readonly partial_images: number
  /** Null: the engine's own. */
  readonly input_fidelity: 'high' | 'low' | null
  readonly hasMask: boolean
}

/** `advice` completes "Unsupported value: 'tools[0].size' ...". */
export type SettingRefusal = { readonly field: ImageField; readonly advice: string }
export type ImageField = Exclude<keyof ImageSettings, 'hasMask'> | 'input_image_mask'

export type ImageJob = {
  readonly prompt: string
  readonly settings: ImageSettings
  /** What is to be changed, or drawn after. Empty: a new picture. */
  readonly images: readonly ImageBytes[]
  /** Where its pixels are transparent the first image may change; null: everywhere. */
  readonly mask: ImageBytes | null
}

export type ImageBytes = { readonly format: ImageFormat; readonly bytes: Buffer }

export type Drawing = ImageBytes & {
  /** `WIDTHxHEIGHT`; null where it cannot be told. */
  readonly size: string | null
  /** What the engine says of it; null where it says nothing. */
  readonly quality: ImageSettings['quality'] | null
  readonly background: ImageSettings['background'] | null
  /** The prompt it was drawn by, where the engine wrote its own. */
  readonly revisedPrompt: string | null
}

export type ImageFailure = 'key' | 'limit' | 'refused' | 'unavailable' | 'timeout' | 'malformed' | 'input' | 'aborted'

/** The message completes "The image could not be made: ...". It holds no key and no address: the model gets to see it. */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly kind: ImageFailure

  constructor(kind: ImageFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}
