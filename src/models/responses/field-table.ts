/** Quirks -> how the fields of a request fare on this endpoint: nearly all of them are its own. */

import type { FieldSupport } from '../../lib/field-support.ts'
import type { FieldTable } from '../model.ts'
import type { ResponsesQuirks } from './quirks.ts'

export function fieldTable(quirks: ResponsesQuirks): FieldTable {
  const meaning = (taken: boolean): FieldSupport => (taken ? 'native' : 'refused')
  return {
    'tools.custom': meaning(quirks.customTools),
    'tool_choice.allowed_tools': quirks.allowedTools ? 'native' : 'emulated',
    presence_penalty: meaning(quirks.penalties),
    frequency_penalty: meaning(quirks.penalties),
    stop: meaning(quirks.stop),
  }
}
