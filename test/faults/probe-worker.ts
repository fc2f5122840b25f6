/** A thread that asks a server for its health again and again, and remembers the longest wait: see server-probe.ts. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Client } from 'undici'

const PROBE_EVERY_MS = 5
const { url, pid } = workerData
const client = new Client(url)
let over = false
parentPort?.once('message', () => {
  over = true
})

/** Bytes; 0 where the system does not tell. */
function residentBytes(): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

const before = residentBytes()
let grownBytes = 0
let slowestMs = 0
parentPort?.postMessage('ready')
while (!over) {
  const began = performance.now()
  const reply = await client.request({ method: 'GET', path: '/health' })
  await reply.body.dump()
  slowestMs = Math.max(slowestMs, performance.now() - began)
  grownBytes = Math.max(grownBytes, residentBytes() - before)
  await delay(PROBE_EVERY_MS)
}
await client.close()
parentPort?.postMessage({ grownBytes, slowestMs })
