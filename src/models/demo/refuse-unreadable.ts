/** The demo model reads text. Of other files this server shows it the text, where there is any. */
import { ModelError, type ModelTurn } from '../model.ts'
import { readFileText } from './read-file.ts'

/** Throws `ModelError` for a file that comes with content which is no text. */
export function refuseUnreadable({ items }: ModelTurn): void {
  for (const item of items) {
    const parts = item.type === 'message' ? item.content : 'output' in item ? item.output : ''
    if (typeof parts === 'string') continue
    for (const part of parts) {
      if (part.type !== 'input_file' || !part.file_data || readFileText(part.file_data) !== null) continue
      throw new ModelError('invalid_request', `The demo model reads only text, and '${part.filename}' is none.`, {
        param: 'input',
      })
    }
  }
}
