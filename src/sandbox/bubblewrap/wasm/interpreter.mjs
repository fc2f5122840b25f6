/**
 * Runs the code of a container, cell after cell, in a Python made of WebAssembly. Node's permission model, no code out of
 * strings and no globals of JavaScript lie around it; none of these is the wall, which is the container.
 *
 * Requests come on descriptor 3 (key, length, code), what it prints and how it ends goes out on 4, in one line (key, kind,
 * length, content): so nothing that was printed comes after the end.
 */
import fs from 'node:fs'

const [REQUESTS, RESULTS] = [3, 4]
const KEY_BYTES = 16
const WASM_PAGE = 65_536
/** How often an interrupt is looked for. */
const POLL_MS = 20
const INTERRUPTED = 2
const { root, memory, cpu, interrupt, pyodide: indexURL, cells } = JSON.parse(process.argv[2])

// The files of Emscripten ask for nothing else of it, and it is closed here.
process.binding = (name) => {
  if (name === 'constants') return { fs: fs.constants }
  throw new Error(`there is no binding '${name}'`)
}

/** Memory that is refused here is a MemoryError there. */
const { grow } = WebAssembly.Memory.prototype
WebAssembly.Memory.prototype.grow = function growWithin(pages) {
  if (this.buffer.byteLength + pages * WASM_PAGE > memory) throw new RangeError('out of memory')
  return grow.call(this, pages)
}

function writeAll(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(fd, bytes, at)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

/** Blocks: between runs nothing of the code before goes on. */
function readExactly(count) {
  const bytes = Buffer.alloc(count)
  for (let at = 0; at < count; ) {
    try {
      const read = fs.readSync(REQUESTS, bytes, at, count - at, null)
      if (read === 0) process.exit(0)
      at += read
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(SLEEP, 0, 0, 5)
    }
  }
  return bytes
}
const SLEEP = new Int32Array(new SharedArrayBuffer(4))

const { loadPyodide } = await import(`${indexURL}pyodide.mjs`)
const python = await loadPyodide({ indexURL, jsglobals: Object.create(null), env: { HOME: root, TZ: 'UTC' } })
let key = Buffer.alloc(KEY_BYTES)
function tell(kind, content) {
  const head = Buffer.alloc(5)
  head.write(kind, 0)
  head.writeUInt32BE(content.length, 1)
  writeAll(RESULTS, Buffer.concat([key, head, content]))
}
const MAX_PIECE = 65_536
const stream = {
  isatty: false,
  write(bytes) {
    for (let at = 0; at < bytes.length; at += MAX_PIECE) tell('O', bytes.subarray(at, at + MAX_PIECE))
    return bytes.length
  },
}
python.setStdin({ error: true })
python.setStdout(stream)
python.setStderr(stream)
python.FS.mkdirTree(root)
python.FS.mount(python.FS.filesystems.NODEFS, { root }, root)
python.FS.chdir(root)
const runCell = python.runPython(fs.readFileSync(cells, 'utf8'))

// ---- interrupts: Python looks at this while it runs, wherever it is

const flag = fs.openSync(interrupt, 'r')
const seen = Buffer.alloc(1)
let next = 0
let isAsked = false
let cpuAtStart = process.cpuUsage()
let isOverCpu = false

function look() {
  const now = performance.now()
  if (isAsked || now < next) return 0
  next = now + POLL_MS
  fs.readSync(flag, seen, 0, 1, 0)
  const { user, system } = process.cpuUsage(cpuAtStart)
  isOverCpu = (user + system) / 1000 > cpu
  isAsked = seen[0] === INTERRUPTED || isOverCpu
  return isAsked ? INTERRUPTED : 0
}

const buffer = new Proxy(new Uint8Array(1), {
  get: (target, name) => (name === '0' ? look() : Reflect.get(target, name, target)),
  set: () => true,
})
python.setInterruptBuffer(buffer)

writeAll(RESULTS, Buffer.from('R'))
for (;;) {
  key = readExactly(KEY_BYTES)
  const code = readExactly(readExactly(4).readUInt32BE(0)).toString('utf8')
  cpuAtStart = process.cpuUsage()
  isAsked = false
  isOverCpu = false
  const outcome = await runCell(code)
  tell('E', Buffer.from(isOverCpu ? 'cpu' : String(outcome)))
}
