/** The floor: `node bench/floor.ts <upstream origin>` prints `READY <port>`. Chains are kept in memory. */
import { startFloorServer } from './floor-server.ts'
import type { Message } from './translate.ts'

const histories = new Map<string, readonly Message[]>()

startFloorServer({
  history: (id) => histories.get(id) ?? [],
  save: (response, messages) => void histories.set(response.id, messages),
  load: () => null,
})
