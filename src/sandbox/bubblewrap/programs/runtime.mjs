// Runs one program that a model wrote, inside the sandbox: lines of JSON come in on descriptor 0 and go out on 1.
//
// The program sees a realm of its own, without anything of Node. That is no wall: it keeps programs to what is promised
// them. The wall is around this process.
//
// Invariant: what the program does follows from its code and from the results in their order. Results are handed over one
// after another, and everything that can run after one has run before the next comes.
import { readSync, writeSync } from 'node:fs'
import vm from 'node:vm'

const MAX_LINE = 64 * 1024 * 1024

let pending = Buffer.alloc(0)
function readLine() {
  for (;;) {
    const end = pending.indexOf(10)
    if (end >= 0) {
      const line = pending.toString('utf8', 0, end)
      pending = pending.subarray(end + 1)
      return JSON.parse(line)
    }
    if (pending.length > MAX_LINE) process.exit(1)
    const piece = Buffer.alloc(65536)
    const length = readSync(0, piece)
    if (length === 0) process.exit(0)
    pending = Buffer.concat([pending, piece.subarray(0, length)])
  }
}

function writeLine(text) {
  const bytes = Buffer.from(`${text}\n`)
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at)
}

// Evaluated in the realm of the program, so that nothing of ours has a way out of it. Only texts pass in and out.
const REALM = `(() => {
  'use strict'
  const { stringify, parse } = JSON
  const NativeDate = Date
  const NativePromise = Promise
  const NativeError = Error
  return (specText) => {
    const spec = parse(specText)
    const calls = []
    const fresh = []
    const output = []
    let room = spec.outputChars
    let images = spec.images
    let isCut = false
    let ended = null

    // What differs from run to run is not there, or stands still.
    for (const name of ['console', 'WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'WebAssembly'])
      delete globalThis[name]
    let state = spec.seed >>> 0
    Math.random = () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
    }
    const now = () => spec.at
    const StillDate = new Proxy(NativeDate, {
      construct: (target, given, newTarget) =>
        Reflect.construct(target, given.length === 0 ? [spec.at] : given, newTarget === StillDate ? target : newTarget),
      apply: () => new NativeDate(spec.at).toString(),
      get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
    })
    NativeDate.prototype.constructor = StillDate
    globalThis.Date = StillDate
    const formats = Intl.DateTimeFormat.prototype
    const format = Object.getOwnPropertyDescriptor(formats, 'format').get
    Object.defineProperty(formats, 'format', {
      get() {
        const own = format.call(this)
        return (date) => own(date === undefined ? spec.at : date)
      },
    })
    const { formatToParts } = formats
    formats.formatToParts = function (date) {
      return formatToParts.call(this, date === undefined ? spec.at : date)
    }

    const put = (piece, size) => {
      if (size > room) isCut = true
      else {
        room -= size
        output.push(piece)
      }
    }
    const asText = (value) => (typeof value === 'string' ? value : (stringify(value) ?? String(value)))
    globalThis.text = (...values) => {
      for (const value of values) {
        const said = asText(value)
        if (said.length > room) {
          if (room > 0) put({ type: 'text', text: said.slice(0, room) }, room)
          isCut = true
        } else put({ type: 'text', text: said }, said.length)
      }
    }
    globalThis.image = (given) => {
      const url = typeof given === 'object' && given !== null ? (given.image_url ?? given.url) : given
      if (typeof url !== 'string' || !/^data:image\\/(?:png|jpeg|webp|gif);base64,/i.test(url))
        throw new TypeError('image(...) takes a picture as a data URL: PNG, JPEG, WebP or GIF in base64')
      if (images === 0 || url.length > spec.imageChars) isCut = true
      else {
        images -= 1
        put({ type: 'image', url }, 0)
      }
    }

    const call = (tool) => (input) =>
      new NativePromise((resolve, reject) => {
        if (calls.length >= spec.maxCalls)
          return reject(new NativeError('a program may make at most ' + spec.maxCalls + ' calls'))
        const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
        if (tool.takes === 'object' && input !== undefined && !isObject)
          return reject(new TypeError(tool.name + ' takes one object with its arguments'))
        const said = tool.takes === 'text' ? asText(input ?? '') : stringify(input ?? {})
        fresh.push({ name: tool.name, input: said })
        calls.push({ resolve, reject })
      })
    const tools = Object.create(null)
    for (const tool of spec.tools) {
      let place = tools
      for (const part of tool.path.slice(0, -1)) place = place[part] ??= Object.create(null)
      place[tool.path.at(-1)] = call(tool)
    }
    globalThis.tools = tools

    const describe = (error) => {
      if (typeof error !== 'object' || error === null || typeof error.stack !== 'string')
        return 'it threw ' + asText(error).slice(0, 2000)
      const lines = error.stack.split('\\n').filter((line) => line.includes('program.js')).slice(0, 5)
      return [String(error.name) + ': ' + String(error.message).slice(0, 2000), ...lines].join('\\n')
    }
    return {
      started(promise) {
        NativePromise.prototype.then.call(
          promise,
          (value) => {
            if (value !== undefined) globalThis.text(value)
            ended = { problem: null }
          },
          (error) => {
            ended = { problem: describe(error) }
          },
        )
      },
      failed(error) {
        ended = { problem: describe(error) }
      },
      settle(index, isError, said) {
        const { resolve, reject } = calls[index]
        if (isError) reject(new NativeError(said))
        else resolve(parse(said))
      },
      state() {
        if (ended !== null) return stringify({ type: 'end', output, isCut, ...ended })
        if (fresh.length > 0) return stringify({ type: 'calls', calls: fresh.splice(0) })
        return stringify({ type: 'end', output, isCut, problem: spec.stuck })
      },
    }
  }
})()`

/** Until nothing of the program can run any more. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

process.on('unhandledRejection', () => {})
writeLine('')
const { code, ...spec } = readLine()
const realm = vm.createContext(Object.create(null), { name: 'program', codeGeneration: { wasm: false } })
const program = vm.runInContext(REALM, realm)(JSON.stringify(spec))
try {
  const script = new vm.Script(`(async () => {\n${code}\n})()`, { filename: 'program.js', lineOffset: -1 })
  program.started(script.runInContext(realm))
} catch (error) {
  const [where] = String(error?.stack).split('\n')
  program.failed({ name: error?.name, message: error?.message, stack: String(where) })
}
let given = 0
for (;;) {
  await settled()
  writeLine(program.state())
  for (const { error, value } of readLine().results) {
    program.settle(given++, error !== undefined, error ?? value)
    await settled()
  }
}
