/** A fast fake of every provider API: `node bench/wire-upstream.ts` prints `READY <port>`. The first path segment chooses. */
import { createServer, type ServerResponse } from 'node:http'
import type { Wire } from '../test/conformance/said.ts'
import { anthropic } from '../test/conformance/wires/anthropic.ts'
import { chat } from '../test/conformance/wires/chat.ts'
import { gemini } from '../test/conformance/wires/gemini.ts'
import { responses } from '../test/conformance/wires/responses.ts'
import { STREAM_TOKENS } from './replies.ts'

/** As many events in one write as a network packet would bring together. */
const EVENTS_PER_WRITE = 16
const WIRES: readonly Wire[] = [chat, responses, anthropic, gemini]

/** The same words from everybody, one event each. */
const REPLIES = new Map(
  WIRES.map((wire) => {
    const reply = wire.say({ says: [{ text: STREAM_TOKENS.join('') }] }, { path: '', headers: {}, body: {} })
    return [wire.api as string, inPackets(reply.body.split(/(?<=\r?\n\r?\n)/))]
  }),
)

function inPackets(events: readonly string[]): Buffer[] {
  const packets: Buffer[] = []
  for (let i = 0; i < events.length; i += EVENTS_PER_WRITE) {
    packets.push(Buffer.from(events.slice(i, i + EVENTS_PER_WRITE).join('')))
  }
  return packets
}

/** One packet per turn of the loop: what a socket delivers when the sender never waits. */
function send(response: ServerResponse, packets: readonly Buffer[], next = 0): void {
  const packet = packets[next]
  if (packet === undefined) return void response.end()
  response.write(packet)
  setImmediate(() => send(response, packets, next + 1))
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    send(response, REPLIES.get(request.url?.split('/')[1] ?? '') ?? [])
  })
})
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(`READY ${address.port}`)
})
process.once('SIGTERM', () => process.exit(0))
