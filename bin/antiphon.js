#!/usr/bin/env node
/**
 * The launcher: starts the server on a Node that is new enough, whatever `node` the machine has.
 *
 * When this Node is, the server runs right here: another process would double what a start costs before the first line
 * of ours. Else this process replaces itself where it can (`process.execve`), so that one process remains. Elsewhere it
 * stays as a thin parent: signals go down, the exit code comes up, and an IPC channel tells the child when this process
 * was killed, so that no server is left behind.
 */
import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findEntry } from './find-entry.js'
import { findNode, isNewEnough, noNodeMessage } from './find-node.js'

const EXIT_USAGE = 2
const EXIT_CANNOT_RUN = 126
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP']
const IS_NPM_SCRIPT = process.env.npm_lifecycle_event !== undefined
const PARENT_CHECK_MS = 500
/** What `runHere` does by other means. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--disable-proto=delete']

function compileCacheFolder(env) {
  if (process.platform === 'win32') return join(env.LOCALAPPDATA ?? homedir(), 'antiphon', 'compile-cache')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'antiphon', 'compile-cache')
}

async function runHere() {
  // Without it, no key of a document from outside can reach the prototype of what it is copied into.
  Reflect.deleteProperty(Object.prototype, '__proto__')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning')
      console.error(`(node:${process.pid}) ${warning.name}: ${warning.message}`)
  })
  // Node 20, which may load this file too, does not have it.
  const { enableCompileCache } = await import('node:module')
  enableCompileCache(compileCacheFolder(process.env))
  await import(pathToFileURL(findEntry()).href)
}

function launch(node) {
  const args = [...FLAGS, findEntry(), ...process.argv.slice(2)]
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || compileCacheFolder(process.env) }
  if (process.platform !== 'win32' && typeof process.execve === 'function' && !IS_NPM_SCRIPT) {
    process.execve(node, [node, ...args], env)
  }
  supervise(spawn(node, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] }))
}

function supervise(child) {
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  if (IS_NPM_SCRIPT) followParent(child)
  child.on('error', (error) => {
    console.error(`antiphon could not start its runtime: ${error.message}`)
    process.exit(EXIT_CANNOT_RUN)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of FORWARDED) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

/**
 * npm runs its scripts below a shell that keeps a signal for itself: npm and the shell end, and nobody tells the server.
 * When the parent is gone, so is the one who started this.
 */
function followParent(child) {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    child.kill('SIGTERM')
  }, PARENT_CHECK_MS)
  timer.unref()
}

const node = findNode()
if (node === null) {
  console.error(noNodeMessage)
  process.exit(EXIT_USAGE)
}
if (isNewEnough(process.version) && !IS_NPM_SCRIPT) await runHere()
else launch(node)
