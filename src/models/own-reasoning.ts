/** Shows a deployment the reasoning states of its own provider; of all others it sees the readable text alone. */
import type { Model, ModelTurn, TurnItem } from './model.ts'
import { readState } from './reasoning-origin.ts'
import { wrapTurns } from './wrap-turns.ts'

export const ownReasoning = (inner: Model, provider: string): Model =>
  wrapTurns(inner, (turn) => withOwnStates(turn, provider))

function withOwnStates(turn: ModelTurn, provider: string): ModelTurn {
  if (!turn.items.some(holdsState)) return turn
  return { ...turn, items: turn.items.map((item) => openState(item, provider)) }
}

const holdsState = (item: TurnItem) => item.type === 'reasoning' && item.encrypted_content !== undefined

function openState(item: TurnItem, provider: string): TurnItem {
  if (item.type !== 'reasoning' || item.encrypted_content === undefined) return item
  const { encrypted_content: marked, ...rest } = item
  const origin = readState(marked)
  return origin.provider === null || origin.provider === provider ? { ...rest, encrypted_content: origin.state } : rest
}

/** The provider of the newest reasoning state of a turn; null when it carries none. */
export function newestOrigin(turn: ModelTurn): string | null {
  for (let index = turn.items.length - 1; index >= 0; index -= 1) {
    const item = turn.items[index]
    if (item?.type !== 'reasoning' || item.encrypted_content === undefined) continue
    const { provider } = readState(item.encrypted_content)
    if (provider !== null) return provider
  }
  return null
}
