/**
 * Before the first turn: asks for the tools that have to be asked for, shows the items of it, and runs the calls that a
 * client has just allowed. Servers are asked side by side; their items stand one after another, as all items do.
 */
import type { ModelTurn, TurnItem } from '../models/model.ts'
import { HOSTED_ID_PREFIX } from '../protocol/hosted-items.ts'
import type { PreparedTools, PrepareStep } from '../tools/tool.ts'
import { namespacedName } from '../tools/tool.ts'
import type { GivenApproval } from './approvals.ts'
import type { EventComposer } from './compose-events.ts'
import type { HostedWriter } from './compose-hosted.ts'
import type { OfferedTool } from './offered-tool.ts'
import { finishCall, type MadeCall, openCall } from './open-call.ts'
import type { RunPlan } from './plan-run.ts'
import { argumentsOf } from './programs/program-items.ts'
import { declarationsOf, type PendingTool } from './resolve-tools.ts'
import type { RunBatch } from './run-event.ts'
import { runToolCalls, type ToolRunDeps } from './run-tool-calls.ts'
import type { TurnOptions } from './run-turn.ts'

export type Prepared = {
  readonly turn: ModelTurn
  /** A call is not what was allowed any more and asks again: the response ends. */
  readonly waits: boolean
}

export type PrepareParts = {
  readonly tools: ToolRunDeps
  readonly options: TurnOptions
  /** Told of what has to be closed when the response is over. */
  readonly onPrepared: (prepared: PreparedTools) => void
}

export async function* prepareTools(plan: RunPlan, parts: PrepareParts): AsyncGenerator<RunBatch, Prepared> {
  const { turn, waits } = yield* prepareServers(plan, parts)
  if (waits || plan.programs.length === 0) return { turn, waits }
  return yield* goOn(plan.programs, turn, parts)
}

async function* prepareServers(plan: RunPlan, parts: PrepareParts): AsyncGenerator<RunBatch, Prepared> {
  if (plan.tools.pending.length === 0) return { turn: plan.turn, waits: false }
  const prepared = yield* askAll(plan, parts)
  const turn = await withTools(plan)
  const items: TurnItem[] = []
  const { calls } = allowedCalls(plan, prepared, parts)
  const ran = yield* runToolCalls(inTurn(calls), parts.tools)
  if (ran.next === 'turn') items.push(...ran.calls.values(), ...ran.outputs)
  // What programs were allowed is told to them.
  const isEnd = ran.next === 'end' && !ran.isTold && calls.length > 0
  return { turn: { ...turn, items: [...turn.items, ...items] }, waits: isEnd }
}

/** Runs programs again whose calls were answered: see programs/. */
async function* goOn(
  programs: RunPlan['programs'],
  turn: ModelTurn,
  { options, tools }: PrepareParts,
): AsyncGenerator<RunBatch, Prepared> {
  const calls = programs.map(({ program, at, offered }): MadeCall => {
    const { id: itemId, call_id: callId, code } = program
    const call = { itemId, callId, at, declared: offered.declared, input: argumentsOf(code), item: null }
    return { call, offered, writer: null, refusal: null }
  })
  options.composer.closeItem('completed')
  const ran = yield* runToolCalls(inTurn(calls), tools)
  if (ran.next === 'end') return { turn, waits: true }
  const outputs = ran.outputs.filter(isOutput)
  const items = outputs.reduce<readonly TurnItem[]>(putBehindCall, turn.items)
  // One of several may wait on: the response ends, and the others have ended.
  return { turn: { ...turn, items }, waits: false }
}

type Output = Extract<TurnItem, { type: 'function_call_output' }>
const isOutput = (item: TurnItem): item is Output => item.type === 'function_call_output'
const isOfCalls = ({ type }: TurnItem) => /^(?:function_call|custom_tool_call)(?:_output)?$/.test(type)

/** Where the calls of its turn end, as providers want it. */
function putBehindCall(items: readonly TurnItem[], output: Output): readonly TurnItem[] {
  const call = items.findIndex((item) => item.type === 'function_call' && item.call_id === output.call_id)
  if (call < 0) return [...items, output]
  const rest = items.slice(call).findIndex((item) => !isOfCalls(item))
  return items.toSpliced(rest < 0 ? items.length : call + rest, 0, output)
}

const inTurn = (calls: readonly MadeCall[]) => ({ reason: () => 'tool_calls' as const, calls })

async function* askAll(
  plan: RunPlan,
  { tools, onPrepared }: PrepareParts,
): AsyncGenerator<RunBatch, ReadonlyMap<PendingTool, PreparedTools>> {
  const asked = plan.tools.pending.map((pending) => {
    const hasApprovals = plan.approvals.some(({ request, response }) => response.approve && isOf(request, pending))
    const steps = pending.prepare(pending.spec, { items: plan.shown, hasApprovals }, tools.context)
    return { pending, steps, first: steps.next() }
  })
  // Where one of them throws the others are of no use; nobody else hears of their failures.
  for (const { first } of asked) first.catch(() => {})
  const prepared = new Map<PendingTool, PreparedTools>()
  try {
    for (const { pending, steps, first } of asked) {
      const result = yield* showSteps(steps, first, tools.composer)
      onPrepared(result)
      prepared.set(pending, result)
      for (const declared of result.declared) plan.tools.add({ declared, tool: result.runner })
    }
    return prepared
  } finally {
    for (const { steps } of asked) steps.return(NOTHING).catch(() => {})
  }
}

/** For what is ended before it has come to anything. */
const NOTHING: PreparedTools = {
  declared: [],
  runner: {
    open() {
      throw new TypeError('nothing was prepared')
    },
    // biome-ignore lint/correctness/useYield: never asked
    async *execute() {
      throw new TypeError('nothing was prepared')
    },
  },
  close() {},
}

type Steps = AsyncGenerator<PrepareStep, PreparedTools>

async function* showSteps(
  steps: Steps,
  first: ReturnType<Steps['next']>,
  composer: EventComposer,
): AsyncGenerator<RunBatch, PreparedTools> {
  let writer: HostedWriter | null = null
  for (let step = await first; ; step = await steps.next()) {
    if (step.done) return step.value
    const { value } = step
    if (value.type === 'open') {
      writer = composer.hosted(HOSTED_ID_PREFIX[value.item.type], (id) => ({ ...value.item, id }))
    } else if (value.type === 'progress') writer?.tell(value.event)
    else if (writer && value.type === 'finish') {
      writer.finish({ ...value.item, id: writer.item().id })
      composer.closeItem('completed')
    }
    if (composer.hasEvents) yield composer.take()
  }
}

/** The first turn with what was asked for. A model that is offered nothing is told of earlier calls in words. */
async function withTools(plan: RunPlan): Promise<ModelTurn> {
  const turn = {
    ...plan.turn,
    tools: declarationsOf(plan.tools),
    toolChoice: plan.chooseAgain(),
    items: plan.tools.byModelName.size > 0 ? plan.turn.items : plan.toTurnItems(plan.shown, { offersTools: false }),
  }
  return plan.fit(turn)
}

function allowedCalls(
  plan: RunPlan,
  prepared: ReadonlyMap<PendingTool, PreparedTools>,
  { options, tools }: PrepareParts,
) {
  tools.composer.closeItem('completed')
  const calls: MadeCall[] = []
  for (const given of plan.approvals) {
    const pending = plan.tools.pending.find((candidate) => isOf(given.request, candidate))
    const result = pending && prepared.get(pending)
    if (!given.response.approve || !pending || !result) continue
    calls.push(makeCall(given, { declared: declaredFor(given, pending, result), tool: result.runner }, options))
  }
  return { calls }
}

function makeCall({ request, digest }: GivenApproval, offered: OfferedTool, options: TurnOptions): MadeCall {
  const approval = { requestId: request.id, digest }
  const { caller } = request
  const call = openCall(offered, { callId: options.newCallId(), approval, ...(caller && { caller }) }, options)
  call.addInput(request.arguments)
  return finishCall(call, request.arguments, options)
}

/** The tool as it is now; one that is there no more still has a name, under which its call fails. */
function declaredFor({ request }: GivenApproval, { spec }: PendingTool, { declared }: PreparedTools) {
  const { name, server_label } = request
  const found = declared.find((candidate) => candidate.name === name)
  if (found) return found
  const modelName = namespacedName(server_label, name)
  const declaration = { type: 'function', name: modelName, description: null, parameters: null, strict: false } as const
  return { declaration, name, namespace: null, spec }
}

const isOf = ({ server_label }: GivenApproval['request'], { spec }: PendingTool) =>
  spec.type === 'mcp' && spec.server_label === server_label
