/** The thread of `request-probe.ts`. */
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Client } from 'undici'

const PROBE_EVERY_MS = 5
const { url, apiKey, path } = workerData
const client = new Client(url)
const headers = { authorization: `Bearer ${apiKey}` }
let over = false
parentPort?.once('message', () => {
  over = true
})

const times: number[] = []
parentPort?.postMessage('ready')
while (!over) {
  const began = performance.now()
  const reply = await client.request({ method: 'GET', path, headers })
  await reply.body.dump()
  if (reply.statusCode !== 200) throw new Error(`${path} is answered with ${reply.statusCode}`)
  times.push(performance.now() - began)
  await delay(PROBE_EVERY_MS)
}
await client.close()
times.sort((a, b) => a - b)
const at = (share: number) => Math.round((times[Math.ceil(times.length * share) - 1] ?? 0) * 10) / 10
parentPort?.postMessage({ requests: times.length, p50: at(0.5), p99: at(0.99) })
