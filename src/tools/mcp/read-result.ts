/** What a tool of an MCP server gave -> the text of its item, and what the model is shown of it. */
import type { StoredPart } from '../../protocol/content.ts'
import type { McpError } from '../../protocol/hosted-items.ts'
import type { ToolOutput } from '../tool.ts'
import { isRecord } from './list-tools.ts'
import { badReply } from './mcp-failure.ts'
import { MAX_DEPTH, storableJson } from './storable.ts'

export type ReadResult = {
  /** Of the item; images stand in it by their kind and size. */
  readonly text: string
  readonly images: readonly Extract<StoredPart, { type: 'input_image' }>[]
  /** The tool says that it failed: a result like others for the model. */
  readonly error: Extract<McpError, { type: 'mcp_tool_execution_error' }> | null
}

const MAX_IMAGES = 16
const IMAGE_TYPE = /^image\/(?:png|jpeg|gif|webp)$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Throws `McpFailure` for what is no result. */
export function readResult(given: unknown): ReadResult {
  const copied = storableJson(given)
  if (!copied) throw badReply(`The MCP server's result is nested more than ${MAX_DEPTH} levels deep.`)
  const { value: result } = copied
  if (!isRecord(result)) throw badReply('The MCP server answered with no result.')
  const content: readonly unknown[] = Array.isArray(result.content) ? result.content : []
  const texts = content.map(textOf)
  if (content.length === 0 && result.structuredContent !== undefined)
    texts.push(JSON.stringify(result.structuredContent))
  const isError = result.isError === true
  return {
    text: texts.join('\n'),
    images: content.flatMap(imageOf).slice(0, MAX_IMAGES),
    error: isError ? { type: 'mcp_tool_execution_error', content: content.map(withoutBytes) } : null,
  }
}

/** `mark` says where a text is from. */
export function toToolOutput(
  { text, images }: ReadResult,
  imageInput: boolean,
  mark: (text: string) => string,
): ToolOutput {
  if (images.length === 0 || !imageInput) return mark(text)
  return [{ type: 'input_text', text: mark(text) }, ...images]
}

function textOf(block: unknown): string {
  if (!isRecord(block)) return ''
  switch (block.type) {
    case 'text':
      return stringOf(block.text)
    case 'image':
    case 'audio':
      return `[${block.type}: ${kindOf(block.mimeType)}, ${bytesOf(block.data)} bytes]`
    case 'resource_link':
      return `[resource: ${stringOf(block.name)} ${stringOf(block.uri)}]`
    case 'resource':
      return resourceText(block.resource)
    default:
      return '[something this server does not know]'
  }
}

function resourceText(resource: unknown): string {
  if (!isRecord(resource)) return '[resource]'
  const uri = stringOf(resource.uri)
  if (typeof resource.text === 'string') return `[resource: ${uri}]\n${resource.text}`
  return `[resource: ${uri}, ${kindOf(resource.mimeType)}, ${bytesOf(resource.blob)} bytes]`
}

function imageOf(block: unknown): ReadResult['images'] {
  if (!isRecord(block) || block.type !== 'image') return []
  const { data, mimeType } = block
  if (typeof data !== 'string' || !BASE64.test(data) || typeof mimeType !== 'string') return []
  if (!IMAGE_TYPE.test(mimeType)) return []
  return [{ type: 'input_image', detail: 'auto', image_url: `data:${mimeType};base64,${data}` }]
}

/** The bytes of a failed call help nobody, and would be kept. */
function withoutBytes(block: unknown): unknown {
  if (!isRecord(block) || block.type === 'text') return block
  return { type: 'text', text: textOf(block) }
}

const stringOf = (value: unknown) => (typeof value === 'string' ? value : '')
const kindOf = (value: unknown) => stringOf(value) || 'of unknown kind'
const bytesOf = (base64: unknown) => Math.floor((stringOf(base64).replace(/=+$/, '').length * 3) / 4)
