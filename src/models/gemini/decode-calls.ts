/** Function calls: whole in one part, or, where asked for, begun in one part and filled by the following ones. */
import { ModelError, type ModelEvent, type ToolDeclaration } from '../model.ts'
import { createCallGate } from '../upstream/call-gate.ts'
import { asFields, asText, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'
import { createPartialArgs, type PartialArgs } from './partial-args.ts'

export interface CallDecoder {
  count(): number
  /** `open` runs before a call's first event, to close what was open and to put its state there. */
  part(call: Fields, open: () => void, out: ModelEvent[]): void
  /** Throws when a call was left in the middle. */
  end(): void
}

export type CallDecoderOptions = {
  readonly tools: readonly ToolDeclaration[]
  readonly newId: () => string
}

export function createCallDecoder({ tools, newId }: CallDecoderOptions): CallDecoder {
  const gate = createCallGate(tools)
  let begun: { readonly id: string; readonly args: PartialArgs } | null = null

  const begin = (call: Fields, out: ModelEvent[]): string => {
    const name = asText(call.name) ?? ''
    if (name === '') throw malformed('The model made a tool call without a name.')
    gate.enter(name)
    const id = newId()
    out.push({ type: 'call-start', id, kind: 'function', name, callId: asText(call.id) })
    return id
  }
  const finish = (id: string, args: unknown, out: ModelEvent[]) => {
    out.push({ type: 'call-delta', id, delta: storable(JSON.stringify(args ?? {})) }, { type: 'call-end', id })
  }

  return {
    count: () => gate.count(),
    part(call, open, out) {
      // A name begins a call, also where the one before it never said that it was over.
      if (begun && asText(call.name)) {
        finish(begun.id, begun.args.value(), out)
        begun = null
      }
      if (!begun) {
        open()
        const id = begin(call, out)
        if (call.willContinue !== true) return finish(id, asFields(call.args), out)
        begun = { id, args: createPartialArgs() }
      }
      begun.args.add(call.partialArgs)
      if (call.willContinue === true) return
      finish(begun.id, asFields(call.args) ?? begun.args.value(), out)
      begun = null
    },
    end() {
      if (begun) throw malformed('The model stopped in the middle of the arguments of a tool call.')
    },
  }
}

const malformed = (message: string) => new ModelError('malformed', message)
