/**
 * A provider that speaks the Responses API: a real HTTP server on 127.0.0.1 that answers by script, and refuses what
 * OpenAI refuses. Its rules are its own words, not our validator: what our server takes leniently a real one does not.
 */
import type { ChatRefusal, ChatUpstreamOptions, ChatUpstreamRequest, ScriptedReply } from './chat-script.ts'
import { type ChatUpstream, startChatUpstream } from './chat-upstream.ts'
import { isJson, type Json } from './chat-validate.ts'

type Script = (request: ChatUpstreamRequest) => ScriptedReply

export type ResponsesUpstreamOptions = Omit<ChatUpstreamOptions, 'script' | 'check' | 'shape'> & {
  /** The reply to `POST /responses`. */
  readonly script: Script
  /** The reply to `POST /responses/input_tokens`; by default a count. */
  readonly count?: Script
}

export const COUNT_PATH = '/v1/responses/input_tokens'

export const startResponsesUpstream = ({
  script,
  count,
  ...options
}: ResponsesUpstreamOptions): Promise<ChatUpstream> =>
  startChatUpstream({
    ...options,
    script: (request) => (request.path.startsWith(COUNT_PATH) ? (count ?? countBytes)(request) : script(request)),
    check: (request) => checkResponsesRequest(request, options.extraFields ?? []),
  })

export const jsonReply = (body: unknown): ScriptedReply => ({
  wire: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

/** Four bytes are a token, more or less. */
const countBytes: Script = ({ raw }) =>
  jsonReply({ object: 'response.input_tokens', input_tokens: Math.ceil(raw.length / 4) })

const COUNT_FIELDS =
  'model input instructions tools tool_choice parallel_tool_calls reasoning text truncation conversation previous_response_id'
const CREATE_FIELDS = `${COUNT_FIELDS} background context_management include max_output_tokens max_tool_calls metadata
  moderation prompt prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier store
  stream stream_options temperature top_logprobs top_p user`
const KNOWN: Readonly<Record<string, ReadonlySet<string>>> = {
  '/v1/responses': new Set(CREATE_FIELDS.split(/\s+/)),
  '/v1/responses/input_tokens': new Set(COUNT_FIELDS.split(/\s+/)),
}

const refuse = (param: string | null, message: string, code: string | null = null): ChatRefusal => ({
  status: 400,
  message,
  param,
  code,
})

/** Null when a real server would take it. */
export function checkResponsesRequest(
  { method, path, body }: ChatUpstreamRequest,
  extraFields: readonly string[],
): ChatRefusal | null {
  const known = KNOWN[path.split('?', 1)[0] ?? '']
  if (method !== 'POST' || !known) return { ...refuse(null, `Invalid URL (${method} ${path})`), status: 404 }
  if (!isJson(body)) return refuse(null, 'We could not parse the JSON body of your request.')
  const unknown = Object.keys(body).find((name) => !known.has(name) && !extraFields.includes(name))
  if (unknown) return refuse(unknown, `Unknown parameter: '${unknown}'.`, 'unknown_parameter')
  const empty = Object.keys(body).find((name) => body[name] === null)
  if (empty)
    return refuse(empty, `Invalid type for '${empty}': expected a value, but got null instead.`, 'invalid_type')
  return checkInput(body.input) ?? checkTools(body)
}

function checkInput(input: unknown): ChatRefusal | null {
  if (!Array.isArray(input) || input.length === 0) return refuse('input', 'One of "input" or ... must be provided.')
  const calls = new Set<unknown>()
  const answered = new Set<unknown>()
  for (const [index, item] of input.entries()) {
    const at = `input[${index}]`
    if (!isJson(item)) return refuse(at, `Invalid type for '${at}': expected an object.`, 'invalid_type')
    const wrong = checkItem(item, at, input[index + 1])
    if (wrong) return wrong
    if (typeof item.call_id !== 'string') continue
    if (!String(item.type).endsWith('_output')) calls.add(item.call_id)
    else {
      if (!calls.has(item.call_id))
        return refuse('input', `No tool call found for function call output with call_id ${item.call_id}.`)
      answered.add(item.call_id)
    }
  }
  const open = [...calls].find((id) => !answered.has(id))
  return open === undefined ? null : refuse('input', `No tool output found for function call ${open}.`)
}

const ITEM_FIELDS: Readonly<Record<string, readonly string[]>> = {
  message: ['role', 'content', 'phase'],
  reasoning: ['id', 'summary', 'content', 'encrypted_content'],
  function_call: ['call_id', 'name', 'arguments'],
  custom_tool_call: ['call_id', 'name', 'input'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call_output: ['call_id', 'output'],
  shell_call: ['call_id', 'action', 'status', 'environment'],
  shell_call_output: ['call_id', 'output', 'status', 'max_output_length'],
  local_shell_call: ['call_id', 'action', 'status'],
  local_shell_call_output: ['id', 'call_id', 'output', 'status'],
  apply_patch_call: ['call_id', 'operation', 'status'],
  apply_patch_call_output: ['call_id', 'output', 'status'],
  computer_call: ['call_id', 'action', 'actions', 'pending_safety_checks', 'status'],
  computer_call_output: ['call_id', 'output', 'acknowledged_safety_checks', 'status'],
  web_search_call: ['status', 'action'],
  file_search_call: ['id', 'status', 'queries', 'results'],
  code_interpreter_call: ['id', 'status', 'container_id', 'code', 'outputs'],
  image_generation_call: ['id', 'status', 'result'],
  mcp_list_tools: ['id', 'server_label', 'tools', 'error'],
  mcp_call: ['id', 'server_label', 'name', 'arguments', 'output', 'error', 'status', 'approval_request_id'],
  mcp_approval_request: ['id', 'server_label', 'name', 'arguments'],
  mcp_approval_response: ['approval_request_id', 'approve', 'reason'],
}

/** An id that this server did not make is looked up and not found. */
function checkItem(item: Json, at: string, next: unknown): ChatRefusal | null {
  const fields = ITEM_FIELDS[String(item.type)]
  if (!fields) return refuse(`${at}.type`, `Invalid value: '${item.type}'.`, 'invalid_value')
  const unknown = Object.keys(item).find((name) => name !== 'type' && !fields.includes(name))
  if (unknown === 'id') return { ...refuse('input', `Item with id '${item.id}' not found.`), status: 404 }
  if (unknown) return refuse(`${at}.${unknown}`, `Unknown parameter: '${at}.${unknown}'.`, 'unknown_parameter')
  if (item.type === 'message') return checkParts(item.content, `${at}.content`)
  if (item.type !== 'reasoning') return null
  if (!isJson(next) || (next.type === 'message' && next.role !== 'assistant')) {
    return refuse('input', `Item '${item.id}' of type 'reasoning' was provided without its required following item.`)
  }
  return Array.isArray(item.summary) ? null : refuse(`${at}.summary`, `Missing required parameter: '${at}.summary'.`)
}

function checkParts(content: unknown, at: string): ChatRefusal | null {
  if (typeof content === 'string') return null
  if (!Array.isArray(content)) return refuse(at, `Invalid type for '${at}'.`, 'invalid_type')
  const nothing = content.findIndex((part) => !isJson(part) || Object.values(part).includes(null))
  return nothing < 0 ? null : refuse(`${at}[${nothing}]`, `Invalid type for '${at}[${nothing}]'.`, 'invalid_type')
}

function checkTools({ tools, tool_choice: choice }: Json): ChatRefusal | null {
  if (tools === undefined) {
    return choice === undefined ? null : refuse('tool_choice', "'tool_choice' is only allowed when 'tools' are given.")
  }
  if (!Array.isArray(tools) || tools.length === 0)
    return refuse('tools', "Invalid 'tools': empty array.", 'empty_array')
  for (const [index, tool] of tools.entries()) {
    const at = `tools[${index}]`
    if (!isJson(tool)) return refuse(at, `Invalid type for '${at}'.`, 'invalid_type')
    if (tool.type === 'function' && !(isJson(tool.parameters) && typeof tool.strict === 'boolean'))
      return refuse(`${at}.parameters`, `Missing required parameter: '${at}.parameters'.`, 'missing_required_parameter')
    if ('name' in tool && !/^[\w-]{1,64}$/.test(String(tool.name)))
      return refuse(`${at}.name`, `Invalid '${at}.name'.`, 'invalid_value')
  }
  return null
}
