/** The arguments of a call: what the model wants drawn. */
import { type ReadArguments, readArguments } from '../read-arguments.ts'
import type { FinishedCall } from '../tool.ts'
import type { ImageSettings } from './image-engine.ts'

export type DrawingWish = {
  readonly prompt: string
  /** The model's word, or the request's. */
  readonly action: 'generate' | 'edit'
  /** Pictures of the conversation, counted from 1; null: the latest. */
  readonly images: readonly number[] | null
}

export type ReadDrawing = { readonly ok: true; readonly wish: DrawingWish } | Extract<ReadArguments, { ok: false }>

/** As the API of OpenAI has it. */
const MAX_PROMPT_CHARS = 32_000
export const MAX_INPUT_IMAGES = 16

const PROMPT = { type: 'string', description: 'What the picture shows, and how, in one description.' } as const
const IMAGES = {
  type: 'array',
  items: { type: 'integer', minimum: 1 },
  maxItems: MAX_INPUT_IMAGES,
  description:
    'For edit: which pictures, counted from 1 through the whole conversation, those the user sent and those made here. ' +
    'Leave it out for the latest.',
} as const
const ACTION = {
  type: 'string',
  enum: ['generate', 'edit'],
  description: 'edit changes a picture of the conversation, or draws after it; generate draws a new one.',
} as const

/** What the model is shown. What the request has decided is not asked of it. */
export function parametersFor({ action }: Pick<ImageSettings, 'action'>) {
  return {
    type: 'object',
    properties: {
      prompt: PROMPT,
      ...(action === 'auto' && { action: ACTION }),
      ...(action !== 'generate' && { images: IMAGES }),
    },
    required: ['prompt'],
    additionalProperties: false,
  }
}

export function readDrawing(call: FinishedCall, { action: decided }: Pick<ImageSettings, 'action'>): ReadDrawing {
  const read = readArguments(call)
  if (!read.ok) return read
  const { prompt, action, images } = read.value
  const text = typeof prompt === 'string' ? prompt.trim().slice(0, MAX_PROMPT_CHARS).toWellFormed() : ''
  if (text === '') return broken('"prompt" has to say what the picture shows')
  const chosen = images === undefined || images === null ? null : numbersOf(images)
  if (chosen === undefined) return broken('"images" has to be a list of numbers from 1')
  const wanted = decided === 'auto' ? (action === 'edit' || chosen ? 'edit' : 'generate') : decided
  return { ok: true, wish: { prompt: text, action: wanted, images: wanted === 'edit' ? chosen : null } }
}

/** An empty list says nothing. */
function numbersOf(value: unknown): readonly number[] | null | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers = value.filter((each): each is number => Number.isInteger(each) && each >= 1)
  if (numbers.length !== value.length || numbers.length > MAX_INPUT_IMAGES) return undefined
  return numbers.length === 0 ? null : [...new Set(numbers)]
}

const broken = (problem: string): ReadDrawing => ({ ok: false, outcome: { type: 'bad-arguments', problem } })
