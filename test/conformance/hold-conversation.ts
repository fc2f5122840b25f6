/** Holds one conversation with a server by the official SDK, as JSON or as a stream, and says how it came out. */
import OpenAI from 'openai'
import type {
  Response,
  ResponseCreateParams,
  ResponseInputItem,
  ResponseOutputItem,
} from 'openai/resources/responses/responses'
import type { Conversation, Outcome, Step } from './conversations.ts'

export type HeldStep = {
  readonly outcome: Outcome
  readonly warnings: string
}

export type Client = { readonly openai: OpenAI; readonly model: string; readonly stream: boolean }

export async function holdConversation(
  { steps }: Conversation,
  client: Client,
  /** Before a step is asked, and when it was answered. */
  on: { before(step: Step): void; after(step: Step, held: HeldStep): void },
): Promise<void> {
  let last: Response | null = null
  let sent: ResponseInputItem[] = []
  for (const step of steps) {
    on.before(step)
    const input = withCallIds(step.request.input, last)
    sent = [...sent, ...(last?.output ?? []).map(asInput), ...input]
    const body = {
      ...step.request,
      model: client.model,
      input: step.follows === 'stateless' ? sent : input,
      ...(step.follows === 'stored' && last ? { previous_response_id: last.id } : {}),
    }
    const answer = await ask(client, body)
    last = answer.response
    on.after(step, { outcome: answer.outcome, warnings: answer.warnings })
  }
}

type Answer = { readonly response: Response | null; readonly outcome: Outcome; readonly warnings: string }

async function ask({ openai, stream }: Client, body: ResponseCreateParams): Promise<Answer> {
  try {
    if (!stream) {
      const { data, response } = await openai.responses.create({ ...body, stream: false }).withResponse()
      return { response: data, outcome: outcomeOf(data), warnings: response.headers.get('x-antiphon-warnings') ?? '' }
    }
    const { data, response } = await openai.responses.create({ ...body, stream: true }).withResponse()
    const warnings = response.headers.get('x-antiphon-warnings') ?? ''
    for await (const event of data) {
      if (event.type === 'response.failed') return { response: null, outcome: failedOf(event.response), warnings }
      if (event.type === 'response.completed' || event.type === 'response.incomplete') {
        return { response: event.response, outcome: outcomeOf(event.response), warnings }
      }
    }
    throw new Error('The stream had no terminal event.')
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || error.status === undefined) throw error
    const { status, code, param } = error
    return { response: null, outcome: { error: { status, code: code ?? '', param: param ?? '' } }, warnings: '' }
  }
}

/** A stream that has begun has no status: it is told by its code alone. */
const failedOf = ({ error }: Response): Outcome => ({ error: { status: 0, code: error?.code ?? '' } })

function outcomeOf({ status, incomplete_details, output, usage }: Response): Outcome {
  const reason = incomplete_details?.reason
  return {
    ...(status === 'completed' || status === 'incomplete' ? { status } : {}),
    ...(reason === 'max_output_tokens' || reason === 'content_filter' ? { reason } : {}),
    output: output.flatMap(lineOf),
    ...(usage && {
      usage: {
        input: usage.input_tokens,
        cached: usage.input_tokens_details.cached_tokens,
        output: usage.output_tokens,
        thoughts: usage.output_tokens_details.reasoning_tokens,
      },
    }),
  }
}

function lineOf(item: ResponseOutputItem): string[] {
  if (item.type === 'function_call') return [`call: ${item.name} ${JSON.stringify(JSON.parse(item.arguments))}`]
  if (item.type === 'reasoning') {
    const parts = [...item.summary, ...(item.content ?? [])].map(({ text }) => text)
    return parts.length === 0 ? [] : [`thought: ${parts.join('')}`]
  }
  if (item.type === 'shell_call' || item.type === 'local_shell_call')
    return [`${item.type}: ${JSON.stringify(item.action)}`]
  if (item.type === 'apply_patch_call') return [`${item.type}: ${JSON.stringify(item.operation)}`]
  if (item.type === 'computer_call') return [`${item.type}: ${JSON.stringify(item.actions ?? item.action)}`]
  if (item.type !== 'message') return [`${item.type}`]
  return item.content.map((part) => (part.type === 'refusal' ? `refusal: ${part.refusal}` : `text: ${part.text}`))
}

const asInput = (item: ResponseOutputItem) => item as ResponseInputItem

/** `#n` is the n-th call of the response before. */
function withCallIds(input: unknown, last: Response | null): ResponseInputItem[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  const calls = (last?.output ?? []).flatMap((item) => ('call_id' in item ? [item.call_id ?? ''] : []))
  return (input as ResponseInputItem[]).map((item) =>
    'call_id' in item && item.call_id?.startsWith('#')
      ? ({ ...item, call_id: calls[Number(item.call_id.slice(1))] ?? '' } as ResponseInputItem)
      : item,
  )
}
