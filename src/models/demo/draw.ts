/** Drawing when asked to: what the picture shows, whether an earlier one is meant, and an answer that says no more. */
import type { ToolDeclaration } from '../model.ts'
import { propertiesOf } from './schema-properties.ts'

const PICTURE = '(?:image|picture|photo|drawing|illustration|logo|icon|painting)'
const DRAWING = new RegExp(
  `\\b(?:draw|paint|sketch)\\b|\\b(?:generate|create|make|produce|design|render|show)\\b[^.?!\\n]{0,40}\\b${PICTURE}s?\\b`,
  'i',
)
const CHANGING = new RegExp(
  `\\b(?:edit|change|alter|modify|redraw|recolou?r|add|put|turn)\\b[^.?!\\n]{0,60}\\b(?:the|this|that|my|your|to) (?:\\w+ ){0,2}${PICTURE}\\b|\\b(?:edit|change|redraw) (?:it|this|that)\\b|\\bmake (?:it|this|that)\\b`,
  'i',
)
const MAX_PROMPT = 1000

/** A tool of that name which takes a prompt; others that are called so are matched as any tool is. */
export const isImageGeneration = (tool: ToolDeclaration): boolean =>
  tool.type === 'function' &&
  tool.name === 'image_generation' &&
  propertiesOf(tool.parameters).some(({ name }) => name === 'prompt')

export const asksForPicture = (text: string): boolean => DRAWING.test(text) || CHANGING.test(text)

export function pictureInput(tool: ToolDeclaration, text: string): object {
  const prompt = text.replace(/\s+/g, ' ').trim().slice(0, MAX_PROMPT).toWellFormed() || 'a picture'
  const isAsked = tool.type === 'function' && propertiesOf(tool.parameters).some(({ name }) => name === 'action')
  return isAsked ? { prompt, action: CHANGING.test(text) ? 'edit' : 'generate' } : { prompt }
}

/** Null for the output of another tool. */
export const answerFromPicture = (name: string, output: string): string | null =>
  name === 'image_generation' && output.startsWith('The image was made') ? 'Here is the image.' : null
