import type { OutputItem } from './items.ts'

/** `output_text` of a Response: the text of all `output_text` parts of all messages, joined without a separator. */
export function joinOutputText(output: readonly OutputItem[]): string {
  let text = ''
  for (const item of output) {
    if (item.type !== 'message') continue
    for (const part of item.content) if (part.type === 'output_text') text += part.text
  }
  return text
}
