/**
 * Process 1 of a container without a Python of the machine: starts the interpreter, watches its limits, keeps its files and
 * speaks with the server. The frames are those of bubblewrap/python/supervisor.py.
 *
 * Invariants:
 * - When a run has ended nothing of it goes on: whatever else there is in the container is stopped until the next run.
 * - There is no /proc here: this process cannot be looked into.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'

if (process.pid !== 1) {
  // Whoever it sees it ends: that must be its own container alone.
  process.stderr.write('it is not process 1 of its container')
  process.exit(1)
}
const LIMITS = JSON.parse(process.argv[2])
const ROOT = LIMITS.root
const TICK_MS = 50
const GRACE_MS = 300
const BEHIND = 19
const MAX_REQUEST = 8 * 1024 * 1024
const MAX_DEPTH = 64
const KEY_BYTES = 16
const RESULT_HEAD = KEY_BYTES + 5
/** Kinds of what the interpreter says. */
const [READY, OUTPUT, END] = Buffer.from('ROE')
const STATUSES = ['ok', 'error', 'cpu']
const MAX_RESULT = 65_536

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = fs.constants

function send(header, body = Buffer.alloc(0)) {
  const head = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(head.length, 0)
  lengths.writeUInt32BE(body.length, 4)
  process.stdout.write(Buffer.concat([lengths, head, body]))
}

/** What the interpreter looks at while it runs. */
const control = fs.openSync(LIMITS.interrupt, 'w')
const INTERRUPTED = 2
const ask = (what) => fs.writeSync(control, Buffer.of(what), 0, 1, 0)
ask(0)

/** To everybody in the container but this process. */
function signalOthers(signal) {
  try {
    process.kill(-1, signal)
  } catch {
    // There is nobody.
  }
}

// ---- the interpreter

let interpreter = null
let run = null

/** The shell sets what a process may have; Node has no call for it. */
const SCRIPT = 'ulimit -d "$1" && ulimit -u "$2" && ulimit -n 256 && ulimit -c 0 && shift 2 && exec "$@"'

function startInterpreter() {
  const ready = Promise.withResolvers()
  const args = [String(LIMITS.data), String(LIMITS.processes), ...LIMITS.interpreter]
  const child = spawn('/bin/bash', ['-c', SCRIPT, 'bash', ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
    cwd: ROOT,
    detached: true,
  })
  const started = { child, ready: ready.promise, isReady: false, isOver: false, pending: Buffer.alloc(0) }
  child.stdio[3].on('error', () => {})
  child.stdio[4].on('data', (bytes) => readResults(started, bytes, ready))
  child.once('error', () => onEnd(started, null, ready))
  child.once('close', (code, signal) => onEnd(started, code ?? (signal === null ? null : -1), ready))
  return started
}

function onEnd(started, code, ready) {
  started.isOver = true
  ready.resolve(false)
  if (interpreter !== started) return
  interpreter = null
  if (run?.worker === started) finish(run.ending?.why ?? 'exited', code)
}

/** What code prints is data, and too much of it is cut. */
function readOutput(bytes) {
  const kept = bytes.subarray(0, run.room)
  if (kept.length < bytes.length) run.isCut = true
  run.room -= kept.length
  if (kept.length > 0) send({ id: run.id, type: 'output', stream: 'stdout', command: 0 }, kept)
}

/** Key, kind, length, content. What does not begin with the key is no frame, and ends its process. */
function readResults(started, bytes, ready) {
  started.pending = Buffer.concat([started.pending, bytes])
  if (!started.isReady) {
    if (started.pending.length < 1) return
    started.isReady = started.pending[0] === READY
    // From now on behind this process, which has to be able to end it.
    os.setPriority(started.child.pid, BEHIND)
    started.pending = started.pending.subarray(1)
    ready.resolve(started.isReady)
    return
  }
  while (run?.worker === started && started.pending.length >= RESULT_HEAD) {
    const size = started.pending.readUInt32BE(KEY_BYTES + 1)
    if (!started.pending.subarray(0, KEY_BYTES).equals(run.key) || size > MAX_RESULT) return giveUp('exited', 0)
    if (started.pending.length < RESULT_HEAD + size) return
    const kind = started.pending[KEY_BYTES]
    const content = started.pending.subarray(RESULT_HEAD, RESULT_HEAD + size)
    started.pending = started.pending.subarray(RESULT_HEAD + size)
    if (kind === OUTPUT) readOutput(content)
    else if (kind === END) finish(STATUSES.find((status) => status === content.toString()) ?? 'error', null)
  }
}

// ---- runs

async function begin(request, code) {
  interpreter ??= startInterpreter()
  const worker = interpreter
  if (!worker.isReady) send({ id: request.id, type: 'starting' })
  if (!(await worker.ready)) {
    interpreter = null
    return send({ id: request.id, type: 'failed', code: 'Python did not start' })
  }
  const key = randomBytes(KEY_BYTES)
  run = {
    id: request.id,
    worker,
    key,
    deadline: performance.now() + 1000 * Math.min(request.wall, LIMITS.wall),
    room: LIMITS.output,
    isCut: false,
    ending: null,
    files: filesMade(),
  }
  run.timer = setInterval(watch, TICK_MS)
  ask(0)
  signalOthers('SIGCONT')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(code.length)
  worker.child.stdio[3].write(Buffer.concat([key, length, code]))
}

function watch() {
  const now = performance.now()
  if (run.ending !== null) {
    if (now > run.ending.until) end('SIGKILL')
  } else if (now > run.deadline) giveUp('timeout', GRACE_MS)
  else if (filesMade() > Math.max(LIMITS.files, run.files)) giveUp('files', 0)
}

const filesMade = () => {
  const { files, ffree } = fs.statfsSync(ROOT)
  return files - ffree
}

/** Asks the code to stop, and ends its process when it does not. */
function giveUp(why, graceMs) {
  if (run.ending !== null) return
  run.ending = { why, until: performance.now() + graceMs }
  if (graceMs > 0) ask(INTERRUPTED)
  else end('SIGKILL')
}

function end(signal) {
  signalOthers('SIGCONT')
  signalOthers(signal)
}

/** `status`: of a run that answered, or of a process that ended. */
function finish(status, code) {
  if (run === null) return
  const { id, ending, isCut, worker, timer } = run
  clearInterval(timer)
  const isLost = worker.isOver
  if (!isLost) signalOthers('SIGSTOP')
  run = null
  send({ id, type: 'end', status: ending?.why ?? status, code: isLost ? code : null, cut: isCut, lost: isLost })
  // The next run finds one that has started.
  if (isLost) interpreter = startInterpreter()
}

// ---- files

const fail = (message) => {
  throw Object.assign(new Error(message), { isTold: true })
}

/** Over no link. Nothing else runs meanwhile, so what was looked at stays what it is. */
function place(path, make) {
  const parts = path.split('/')
  if (path === '' || parts.some((part) => part === '' || part === '.' || part === '..')) fail('Invalid path')
  let folder = ROOT
  for (const part of parts.slice(0, -1)) {
    folder = `${folder}/${part}`
    if (make && !fs.lstatSync(folder, { throwIfNoEntry: false })) fs.mkdirSync(folder)
    fs.closeSync(fs.openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  }
  return `${folder}/${parts.at(-1)}`
}

function openFile(path, flags, make = false) {
  const fd = fs.openSync(place(path, make), flags | O_NOFOLLOW | O_NONBLOCK, 0o644)
  if (fs.fstatSync(fd).isFile()) return fd
  fs.closeSync(fd)
  return fail('Not a file')
}

function closing(fd, work) {
  try {
    return work(fd)
  } finally {
    fs.closeSync(fd)
  }
}

const isPlain = (path) => path.length <= 512 && path.isWellFormed() && !/\p{C}|\uFFFD/u.test(path)

function list({ id }) {
  const files = []
  let more = false
  const walk = (folder, depth) => {
    if (depth > MAX_DEPTH) {
      more = true
      return
    }
    const entries = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries.filter((it) => it.isFile())) {
      const path = `${folder}/${entry.name}`
      const shown = path.slice(ROOT.length + 1)
      if (!isPlain(shown)) continue
      if (files.length >= LIMITS.listed) {
        more = true
        return
      }
      const found = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
      if (found?.isFile()) files.push([shown, Number(found.size), `${found.mtimeNs}-${found.ino}`])
    }
    for (const entry of entries.filter((it) => it.isDirectory())) walk(`${folder}/${entry.name}`, depth + 1)
  }
  walk(ROOT, 0)
  send({ id, type: 'files', more }, Buffer.from(JSON.stringify(files)))
}

function get({ id, path, offset, length }) {
  closing(openFile(path, O_RDONLY), (fd) => {
    const bytes = Buffer.alloc(Math.min(length, 1 << 20))
    const count = fs.readSync(fd, bytes, 0, bytes.length, offset)
    send({ id, type: 'content', size: fs.fstatSync(fd).size }, bytes.subarray(0, count))
  })
}

function put({ id, path, offset }, body) {
  if (offset + body.length > LIMITS.disk) fail('No space left on device')
  closing(openFile(path, O_WRONLY | O_CREAT | (offset === 0 ? O_TRUNC : 0), true), (fd) => {
    for (let at = 0; at < body.length; ) at += fs.writeSync(fd, body, at, body.length - at, offset + at)
  })
  send({ id, type: 'done' })
}

function remove({ id, path }) {
  fs.unlinkSync(place(path, false))
  send({ id, type: 'done' })
}

// ---- requests

const HANDLERS = {
  run: begin,
  shell: ({ id }) => send({ id, type: 'failed', code: 'This sandbox has no shell' }),
  interrupt({ id }) {
    if (run?.id === id) giveUp('interrupted', GRACE_MS)
  },
  list,
  get,
  put,
  delete: remove,
}

const REASONS = { ENOSPC: 'No space left on device', ENOENT: 'No such file', EDQUOT: 'No space left on device' }

function answer(request, body) {
  try {
    HANDLERS[request.op](request, body)
  } catch (error) {
    if (!error.isTold && error.code === undefined) throw error
    send({ id: request.id, type: 'failed', code: error.isTold ? error.message : (REASONS[error.code] ?? error.code) })
  }
}

let input = Buffer.alloc(0)
process.stdin.on('data', (bytes) => {
  input = Buffer.concat([input, bytes])
  while (input.length >= 8) {
    const [head, body] = [input.readUInt32BE(0), input.readUInt32BE(4)]
    if (head + body > MAX_REQUEST) process.exit(1)
    if (input.length < 8 + head + body) return
    const request = JSON.parse(input.toString('utf8', 8, 8 + head))
    const content = input.subarray(8 + head, 8 + head + body)
    input = input.subarray(8 + head + body)
    answer(request, content)
  }
})
process.stdin.on('end', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))

interpreter = startInterpreter()
const isUp = await interpreter.ready
if (!isUp) {
  process.stderr.write('Python did not start in the container')
  process.exit(1)
}
signalOthers('SIGSTOP')
send({ type: 'ready' })
