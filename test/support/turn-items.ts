/** Short ways to write the items of a turn, for tests of adapters. */

import type { TurnItem } from '../../src/models/model.ts'
import type { StoredPart } from '../../src/protocol/content.ts'
import type { ReasoningItem } from '../../src/protocol/items.ts'

const status = 'completed'

export const inputText = (text: string): StoredPart => ({ type: 'input_text', text })
export const inputMessage = (role: 'user' | 'system' | 'developer', ...content: readonly StoredPart[]): TurnItem => ({
  id: 'm',
  type: 'message',
  status,
  role,
  content: [...content],
})
export const user = (text: string): TurnItem => inputMessage('user', inputText(text))
export const assistant = (text: string): TurnItem => ({
  id: 'm',
  type: 'message',
  status,
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
export const functionCall = (call_id: string, name = 'f', args = '{}'): TurnItem => ({
  id: 'f',
  type: 'function_call',
  status,
  call_id,
  name,
  arguments: args,
})
export const functionOutput = (call_id: string, output: string | StoredPart[]): TurnItem => ({
  id: 'o',
  type: 'function_call_output',
  status,
  call_id,
  output,
})
export const reasoning = (state: string | undefined, summary = ''): ReasoningItem => ({
  id: 'r',
  type: 'reasoning',
  summary: summary === '' ? [] : [{ type: 'summary_text', text: summary }],
  ...(state !== undefined && { encrypted_content: state }),
})
