/**
 * One seed: some background runs, readers, cancels, and replicas that die, stop, are cut off from the store and come back;
 * then peace, and everything that must hold. The same seed does the same again.
 */
import assert from 'node:assert/strict'
import type { RunEvent } from '../../src/engine/run-event.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'
import type { Store } from '../../src/store/store.ts'
import { checkRunLaws } from '../laws/run-laws.ts'
import { readAll } from '../support/engine-fixture.ts'
import { CODE_NAME } from '../support/scripted-tool.ts'
import { createReader, type Reader } from './reader.ts'
import { type Fate, type Replica, startReplica } from './replica.ts'
import { type Chance, createChance } from './seeded.ts'
import type { World } from './world.ts'

export type Outcome = {
  readonly runs: number
  readonly deaths: number
  readonly resumed: number
  readonly virtualMs: number
}

const STEPS = 30
const MAX_RUNS = 6
/** Longer than a lease, and than what a run of five steps may take after it was taken over. */
const PEACE_MS = 120_000
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'incomplete'])

type Scene = {
  readonly world: World
  readonly chance: Chance
  readonly projectId: string
  readonly replicas: Replica[]
  readonly readers: Reader[]
  readonly runs: { readonly id: string; ended: ResponseObject | null }[]
  readonly breaches: unknown[]
  readonly addReplica: () => void
  deaths: number
  resumed: number
}

/** Throws on the first breach. `plant`: a fault that the laws have to find. */
export async function simulate(
  world: World,
  seed: number,
  plant: (store: Store) => Store = (it) => it,
): Promise<Outcome> {
  const chance = createChance(seed)
  world.follow(chance)
  const scene = await open(world, chance, seed, plant)
  const from = world.clock.monotonic()
  for (let step = 0; step < STEPS; step++) {
    act(scene)
    await world.pass(chance.below(2_000))
    await look(scene)
  }
  await makePeace(scene)
  await check(scene)
  for (const replica of scene.replicas) replica.become('dead')
  const { deaths, resumed, runs } = scene
  return { runs: runs.length, deaths, resumed, virtualMs: world.clock.monotonic() - from }
}

async function open(world: World, chance: Chance, seed: number, plant: (store: Store) => Store): Promise<Scene> {
  const projectId = `proj_${seed}`
  const replicas: Replica[] = []
  let names = 0
  const addReplica = () => {
    names += 1
    replicas.push(
      startReplica(world, { name: `r_${String(seed).padStart(6, '0')}${String(names).padStart(6, '0')}`, plant }),
    )
  }
  for (let count = 1 + chance.below(3); count > 0; count--) addReplica()
  await world.store.forProject(projectId).webhooks.create(ENDPOINT, 1)
  return { world, chance, projectId, replicas, readers: [], runs: [], breaches: [], addReplica, deaths: 0, resumed: 0 }
}

const ENDPOINT = {
  id: 'whe_1',
  name: 'all',
  url: 'https://receiver.example/',
  eventTypes: ['response.completed', 'response.failed', 'response.cancelled', 'response.incomplete'],
  secret: '',
  secretHint: '',
  previousSecret: null,
  previousUntil: null,
  configured: false,
  createdAt: 0,
  updatedAt: 0,
} as const

const living = ({ replicas }: Scene) => replicas.filter((replica) => replica.fate() === 'alive')

/** One thing that clients or the world do. Nobody waits for it. */
function act(scene: Scene): void {
  const { chance, replicas, runs } = scene
  const alive = living(scene)
  const replica = alive.length > 0 ? chance.pick(alive) : null
  if (replica && chance.happens(0.25) && runs.length < MAX_RUNS) void begin(scene, replica)
  else if (replica && chance.happens(0.3) && runs.length > 0) follow(scene, replica)
  else if (replica && chance.happens(0.05) && runs.length > 0) cancel(scene, replica)
  else if (chance.happens(0.35)) strike(scene)
  else if (chance.happens(0.2)) {
    const away = replicas.filter((it) => it.fate() === 'stopped' || it.fate() === 'cut-off')
    if (away.length > 0) chance.pick(away).become('alive')
  }
}

/** A run that is over, or a store that cannot be reached, is no breach. */
function cancel({ chance, runs, projectId }: Scene, replica: Replica): void {
  replica.engine.cancelResponse(chance.pick(runs).id, replica.caller(projectId)).catch(() => {})
}

async function begin({ chance, projectId, runs }: Scene, replica: Replica): Promise<void> {
  const request = {
    model: 'scripted',
    input: `calls: ${chance.below(4)}`,
    background: true,
    stream: chance.happens(0.7),
    store: true,
    tools: [{ type: 'function', name: CODE_NAME } as const],
  }
  try {
    const run = await replica.engine.createResponse(request, replica.caller(projectId))
    runs.push({ id: run.responseId, ended: null })
  } catch {
    // Refused, because the store cannot be reached: then it was never queued.
  }
}

/** A new reader, or one that lost its connection and finds another server. */
function follow(scene: Scene, replica: Replica): void {
  const { chance, readers, runs, projectId, breaches } = scene
  if (readers.length > 0 && chance.happens(0.6)) {
    scene.resumed += 1
    chance.pick(readers).connect(replica, projectId)
    return
  }
  const reader = createReader(chance.pick(runs).id, (error) => breaches.push(error))
  readers.push(reader)
  reader.connect(replica, projectId)
}

function strike(scene: Scene): void {
  const { chance, replicas } = scene
  const standing = replicas.filter((replica) => replica.fate() !== 'dead')
  const fate: Fate = chance.pick(['dead', 'stopped', 'cut-off'])
  if (standing.length > 0) {
    chance.pick(standing).become(fate)
    if (fate === 'dead') scene.deaths += 1
  }
  if (standing.length === 0 || chance.happens(0.6)) scene.addReplica()
}

/** A state that is an end is never left. */
async function look({ world, runs, projectId }: Scene): Promise<void> {
  for (const run of runs) {
    const response = await current(world, projectId, run.id)
    if (run.ended !== null) assert.deepEqual(response, run.ended, 'an end is never left')
    if (ENDED.has(response.status)) run.ended = response
  }
}

async function current({ store, pass }: World, projectId: string, id: string): Promise<ResponseObject> {
  const asked = store.forProject(projectId).getResponse(id)
  await pass(0)
  const response = await asked
  assert.ok(response, 'a response that was queued is there')
  return response
}

async function makePeace(scene: Scene): Promise<void> {
  const { world, replicas, projectId, runs } = scene
  for (const replica of replicas) if (replica.fate() !== 'dead') replica.become('alive')
  scene.addReplica()
  for (let passed = 0; passed < PEACE_MS && runs.some(({ ended }) => ended === null); passed += 1_000) {
    await world.pass(1_000)
    await look(scene)
  }
  for (const reader of scene.readers) {
    const replica = living(scene).at(-1)
    assert.ok(replica)
    if (!reader.isDone()) reader.connect(replica, projectId)
  }
  for (let n = 0; n < 5; n++) await world.pass(1_000)
}

async function check({ world, runs, readers, projectId, breaches, replicas }: Scene): Promise<void> {
  assert.deepEqual(breaches, [])
  const replica = replicas.at(-1)
  assert.ok(replica)
  const logs = new Map<string, readonly RunEvent[]>()
  for (const { id, ended } of runs) {
    assert.ok(ended, `${id} has ended`)
    const log: RunEvent[] | null = await replica.engine
      .streamResponse(id, -1, replica.caller(projectId))
      .then(readAll, () => null)
    if (log === null) continue
    logs.set(id, log)
    assert.deepEqual(checkRunLaws(log), ended, 'the log ends in what is stored')
  }
  for (const reader of readers) {
    const log = logs.get(reader.id)
    if (log) assert.deepEqual(reader.told, log, 'what a reader was told is the log')
  }
  const made = world.tool.calls.map(({ callId }) => callId)
  assert.equal(new Set(made).size, made.length, 'no call of a tool was made twice')
  const page = { limit: 100, order: 'asc', after: null } as const
  const told = await world.store.forProject(projectId).webhooks.listDeliveries('whe_1', page)
  const ends = runs.map(({ id, ended }) => [id, `response.${ended?.status}`])
  assert.deepEqual(told.map(({ event }) => [event.responseId, event.type]).sort(), ends.sort(), 'each end is told once')
}
