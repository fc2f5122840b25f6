// Tries to reach what a program's process must not reach, with all that Node can do: as if a program had left its realm.
// One line of hints comes in: canaries of the server, which are there. One line goes out: what each probe reached.
import { execFileSync, fork, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { resolve4 } from 'node:dns/promises'
import * as fs from 'node:fs'
import inspector from 'node:inspector'
import { connect, createServer } from 'node:net'
import os from 'node:os'
import v8 from 'node:v8'
import { Worker } from 'node:worker_threads'

fs.writeSync(1, '\n')
const line = Buffer.alloc(4096)
const hints = JSON.parse(line.toString('utf8', 0, fs.readSync(0, line)))
const FILES = /^(node|program\.mjs|lib|lib32|lib64|usr|nix|gnu)$/
const WRITABLE = ['/', '/tmp', '/var/tmp', '/dev/shm', '/run', '/home', '/lib', '/proc/self', '/mnt/data']

const list = (path) => {
  try {
    return fs.readdirSync(path)
  } catch {
    return []
  }
}
const numbers = () => list('/proc').filter((name) => /^\d+$/.test(name))
const connects = (where) =>
  new Promise((resolve, reject) => {
    const socket = connect(where, () => resolve(`connected to ${JSON.stringify(where)}`))
    socket.once('error', reject)
    setTimeout(() => reject(new Error('nobody answered')), 500)
  })
const listens = (where) =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(where, () => resolve('it listens'))
  })
const exits = (child) =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve('it started'))
  })

const PROBES = {
  environment: () => Object.entries(process.env).filter(([name, value]) => name !== 'PWD' || value !== '/'),
  environmentOfOthers: () => numbers().filter((pid) => fs.readFileSync(`/proc/${pid}/environ`).length > 0),
  memoryOfOthers: () => numbers().filter((pid) => fs.openSync(`/proc/${pid}/mem`, 'r') > 0),
  rootOfOthers: () => numbers().flatMap((pid) => list(`/proc/${pid}/root`)),
  processes: () => numbers(),
  descriptors: () =>
    Array.from({ length: 61 }, (_, index) => index + 3).flatMap((fd) => {
      try {
        const found = fs.fstatSync(fd)
        return found.isFile() || found.isDirectory() || found.isSocket() ? [`${fd}: ${found.mode}`] : []
      } catch {
        return []
      }
    }),
  fileOfTheHost: () => fs.readFileSync(hints.file, 'utf8'),
  fileAboveTheRoot: () => fs.readFileSync(`/../../..${hints.file}`, 'utf8'),
  foldersOfTheHost: () => list('/').filter((name) => !FILES.test(name)),
  programsOfTheHost: () => ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local', '/opt', '/srv'].flatMap(list),
  accounts: () => fs.readFileSync('/etc/passwd', 'utf8'),
  mounts: () => fs.readFileSync('/proc/self/mountinfo', 'utf8'),
  kernel: () => [...list('/sys'), ...list('/proc/sys')],
  devices: () => list('/dev'),
  libraryBeside: () => fs.readFileSync('/usr/lib/os-release', 'utf8'),
  written: () =>
    WRITABLE.filter((folder) => {
      try {
        fs.writeFileSync(`${folder}/probe-${process.pid}`, 'x')
        return true
      } catch {
        return false
      }
    }),
  writtenOver: () => `descriptor ${fs.openSync('/node', 'r+')}`,
  writtenOverItself: () => `descriptor ${fs.openSync('/program.mjs', 'r+')}`,
  snapshot: () => v8.writeHeapSnapshot('/tmp/probe'),
  link: () => fs.symlinkSync(hints.file, '/probe') ?? 'made',
  changedMode: () => fs.chmodSync('/node', 0o777) ?? 'changed',
  tcp: () => connects({ host: '127.0.0.1', port: hints.port }),
  tcpOverV6: () => connects({ host: '::1', port: hints.port }),
  internet: () => connects({ host: '192.0.2.1', port: 80 }),
  metadata: () => connects({ host: '169.254.169.254', port: 80 }),
  unixSocket: () => connects({ path: hints.socket }),
  abstractSocket: () => connects({ path: `\0${hints.name}` }),
  listening: () => listens({ host: '127.0.0.1', port: 0 }),
  listeningOnUnix: () => listens({ path: '\0probe' }),
  udp: () =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4')
      socket.once('error', reject)
      socket.bind(0, () => resolve('bound'))
    }),
  fetching: async () => (await fetch(`http://127.0.0.1:${hints.port}/`)).status,
  names: () => resolve4('example.com'),
  interfaces: () => Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo'),
  inspecting: () => inspector.open(0, '127.0.0.1') ?? inspector.url(),
  spawned: () => spawnSync('/node', ['-v']).pid || null,
  forked: () => exits(fork('/program.mjs')),
  shell: () => execFileSync('/bin/sh', ['-c', 'echo hi'], { encoding: 'utf8' }),
  python: () => execFileSync('/usr/bin/python3', ['-V'], { encoding: 'utf8' }),
  workerWithLess: () =>
    new Promise((resolve, reject) => {
      const code = `require('worker_threads').parentPort.postMessage(require('fs').readdirSync('/'))`
      const worker = new Worker(code, { eval: true })
      worker.once('error', reject)
      worker.once('message', (names) => resolve(names.filter((name) => !FILES.test(name))))
    }),
  serverIsThere: () => process.kill(hints.pid, 0) && 'it can be signalled',
  parentIsThere: () => process.ppid !== 0 && process.kill(process.ppid, 0) && 'it can be signalled',
  everybody: () => {
    try {
      return process.kill(-1, 0) && 'they can be signalled'
    } catch (error) {
      // Process 1 may ask; nobody else is there.
      if (error.code === 'ESRCH') return null
      throw error
    }
  },
  addon: () => process.dlopen({ exports: {} }, '/probe.node') ?? 'loaded',
  becomesRoot: () => process.setuid(0) ?? 'it did',
  becomesAnother: () => process.setgid(0) ?? 'it did',
  isRoot: () => (process.getuid() === 0 ? 'it is' : null),
  name: () => (os.hostname() === 'program' ? null : os.hostname()),
  user: () => os.userInfo().homedir,
  builtin: () => process.getBuiltinModule('node:fs').readFileSync(hints.file, 'utf8'),
  machineCode: () => (typeof WebAssembly === 'object' ? 'WebAssembly is there' : null),
}

const reached = {}
for (const [name, probe] of Object.entries(PROBES)) {
  try {
    const found = await probe()
    const isNothing =
      found === null || found === undefined || found === false || (Array.isArray(found) && !found.length)
    if (!isNothing) reached[name] = String(found).slice(0, 200)
  } catch {
    // It held.
  }
}
fs.writeSync(1, `${JSON.stringify({ tried: Object.keys(PROBES).length, reached })}\n`)
process.exit(0)
