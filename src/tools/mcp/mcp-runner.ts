/** Runs the calls of one server in one response. */
import { createHash } from 'node:crypto'
import type { McpCall } from '../../protocol/hosted-items.ts'
import { readArguments } from '../read-arguments.ts'
import {
  type Approval,
  type FinishedCall,
  markForeign,
  mcpSource,
  type OpenedCall,
  type ToolContext,
  type ToolOutcome,
  type ToolRunner,
  type ToolStep,
} from '../tool.ts'
import { badArguments, McpFailure, unknownTool } from './mcp-failure.ts'
import type { McpSession } from './mcp-session.ts'
import type { McpSpec } from './mcp-target.ts'
import { type ReadResult, readResult, toToolOutput } from './read-result.ts'
import { type ListedTool, needsApproval } from './tool-rules.ts'

export type RunnerParts = {
  readonly spec: McpSpec
  readonly session: McpSession
  /** Those that the request may use. */
  readonly tools: ReadonlyMap<string, ListedTool>
  /** Of the server and of all that it lists: leave for a call ends when this changes. */
  readonly listDigest: string
  /** Why there is no list. */
  readonly failure: McpFailure | null
}

export function createMcpRunner(parts: RunnerParts): ToolRunner {
  const { spec, tools, listDigest } = parts
  const asks = ({ declared, approval }: OpenedCall): boolean => {
    const tool = tools.get(declared.name)
    if (!tool) return false
    return approval ? approval.digest !== listDigest : needsApproval(tool, spec)
  }
  return {
    open(call) {
      const { server_label } = spec
      const { name } = call.declared
      if (asks(call)) return { id: call.itemId, type: 'mcp_approval_request', server_label, name, arguments: '' }
      return {
        id: call.itemId,
        type: 'mcp_call',
        status: 'in_progress',
        server_label,
        name,
        arguments: '',
        output: null,
        error: null,
        approval_request_id: call.approval?.requestId ?? null,
      }
    },
    onInput(call) {
      if (asks(call)) return () => []
      return (delta) =>
        delta === ''
          ? [{ type: 'response.mcp_call.in_progress' }]
          : [{ type: 'response.mcp_call_arguments.delta', delta }]
    },
    async *execute(call, context) {
      if (call.item?.type === 'mcp_approval_request') {
        yield { type: 'finish', item: { ...call.item, arguments: call.input } }
        return { type: 'await-approval', digest: listDigest }
      }
      if (call.item?.type !== 'mcp_call') throw new TypeError('it opened another item')
      return yield* run({ ...call, item: call.item }, context, parts)
    },
    *interrupted({ item, input }) {
      if (item?.type !== 'mcp_call') return
      yield { type: 'progress', event: { type: 'response.mcp_call_arguments.done', arguments: input } }
      yield* fail(item, INTERRUPTED)
    },
  }
}

const INTERRUPTED: NonNullable<McpCall['error']> = {
  type: 'http_error',
  code: 502,
  message: 'The server stopped while this call ran: nobody knows whether it was carried out. It was not made again.',
}

type RunningCall = FinishedCall & { readonly item: McpCall; readonly approval?: Approval }
type Steps = AsyncGenerator<ToolStep, ToolOutcome>

async function* run(call: RunningCall, context: ToolContext, parts: RunnerParts): Steps {
  const mark = (text: string) => markForeign(mcpSource(parts.spec.server_label), text)
  yield { type: 'progress', event: { type: 'response.mcp_call_arguments.done', arguments: call.input } }
  // Of a tool that takes nothing some models write nothing.
  const read = call.input.trim() === '' ? { ok: true as const, value: {} } : readArguments(call)
  if (!read.ok) {
    yield* fail(call.item, badArguments(read.outcome.problem).error)
    return read.outcome
  }
  try {
    const result = await callTool(call, read.value, context, parts)
    if (result.error) {
      yield* fail(call.item, result.error)
      return { type: 'result', output: mark(`Error: ${result.text}`) }
    }
    yield { type: 'progress', event: { type: 'response.mcp_call.completed' } }
    yield { type: 'finish', item: { ...call.item, status: 'completed', output: result.text } }
    return { type: 'result', output: toToolOutput(result, context.imageInput, mark) }
  } catch (error) {
    if (!(error instanceof McpFailure)) throw error
    yield* fail(call.item, error.error)
    return { type: 'result', output: mark(`Error: ${error.error.message}`) }
  }
}

function* fail(item: McpCall, error: NonNullable<McpCall['error']>): Generator<ToolStep, void> {
  yield { type: 'progress', event: { type: 'response.mcp_call.failed' } }
  yield { type: 'finish', item: { ...item, status: 'failed', error } }
}

async function callTool(
  { declared: { name } }: RunningCall,
  args: Readonly<Record<string, unknown>>,
  { signal }: ToolContext,
  { tools, session, failure }: RunnerParts,
): Promise<ReadResult> {
  if (!tools.has(name)) throw failure ?? unknownTool(name)
  return readResult(await session.request('tools/call', { name, arguments: args }, signal))
}

/** Of what a client's leave is for, besides the call itself. */
export const leaveDigest = (identity: string, listDigest: string): string =>
  createHash('sha256').update(`${identity}\n${listDigest}`).digest('hex')
