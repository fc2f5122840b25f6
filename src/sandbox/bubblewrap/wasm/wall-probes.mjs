/**
 * What code could do that had left WebAssembly and Node's permissions behind: it runs in the place of the supervisor, and tries
 * to reach what a container must not reach. Says one JSON object, as probes.py does.
 */
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns/promises'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'

const HINTS = JSON.parse(process.argv[2]).hints
const WAIT_MS = 500
/** How a filter of system calls answers; anything else is the answer of a network. */
const FILTERED = ['EAFNOSUPPORT', 'EPERM', 'EACCES']

const listed = (path) => (fs.existsSync(path) ? fs.readdirSync(path) : [])
const existing = (paths) => paths.filter((path) => fs.existsSync(path))
const some = (found) => (found.length > 0 ? found : null)

function connects(where) {
  const { promise, resolve } = Promise.withResolvers()
  const socket = net.connect(where)
  socket.setTimeout(WAIT_MS, () => resolve(null))
  socket.once('connect', () => resolve(`connected to ${JSON.stringify(where)}`))
  socket.once('error', ({ code }) => resolve('path' in where || FILTERED.includes(code) ? null : `a socket: ${code}`))
  return promise.finally(() => socket.destroy())
}

const succeeds = (program, args) => {
  execFileSync(program, args, { stdio: 'ignore', timeout: 2_000 })
  return `${program} ${args.join(' ')}`
}

const PROBES = {
  environment: () => some(Object.keys(process.env).filter((name) => process.env[name]?.includes(HINTS.secret))),
  file_of_the_host: () => fs.readFileSync(HINTS.file, 'utf8'),
  folder_of_the_host: () => fs.readdirSync(HINTS.file.slice(0, HINTS.file.lastIndexOf('/'))),
  homes_of_the_host: () =>
    some(existing(['/root', '/home', '/var', '/srv', '/opt', '/boot', '/sys', '/proc', '/host'])),
  users_of_the_host: () => some(existing(['/etc/shadow', '/etc/ssh', '/etc/hostname', '/etc/machine-id'])),
  writing_to_the_system: () =>
    some(
      ['/', '/usr', '/usr/bin', '/etc', '/dev', '/run', '/app', '/app/pyodide', '/mnt', '/bin'].filter((folder) => {
        try {
          fs.writeFileSync(`${folder}/probe`, 'x')
          return true
        } catch {
          return false
        }
      }),
    ),
  devices: () => {
    const plain = 'core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero'.split(' ')
    return some(listed('/dev').filter((name) => !plain.includes(name)))
  },
  terminal: () => (fs.existsSync('/dev/console') ? 'console' : null),
  process_of_the_host: () => {
    if (HINTS.pid <= 100) return null
    try {
      process.kill(HINTS.pid, 0)
      return 'signalled'
    } catch ({ code }) {
      return code === 'ESRCH' ? null : code
    }
  },
  being_process_one: () => (process.pid === 1 ? null : `process ${process.pid}`),
  being_root: () => (process.getuid() === 0 || process.geteuid() === 0 ? 'root' : null),
  becoming_root: () => {
    process.setuid(0)
    return 'became root'
  },
  rights_over_files: () => {
    fs.writeFileSync('/tmp/locked', 'x', { mode: 0 })
    return fs.readFileSync('/tmp/locked', 'utf8')
  },
  higher_priority: () => {
    os.setPriority(0, -5)
    return 'raised'
  },
  interfaces: () => some(Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo')),
  tcp_to_the_host: () => connects({ host: '127.0.0.1', port: HINTS.port }),
  tcp_over_ipv6: () => connects({ host: '::1', port: HINTS.port }),
  metadata_address: () => connects({ host: '169.254.169.254', port: 80 }),
  socket_by_path: () => connects({ path: HINTS.socket }),
  socket_by_name: () => connects({ path: `\0${HINTS.name}` }),
  udp_to_the_host: () => {
    const { promise, resolve } = Promise.withResolvers()
    const socket = dgram.createSocket('udp4')
    socket.once('error', () => resolve(null))
    socket.send('x', HINTS.port, '127.0.0.1', (error) => resolve(error ? null : 'sent'))
    return promise
  },
  names_of_the_network: async () => {
    const found = dns.lookup('example.com').then(({ address }) => address)
    return Promise.race([found, new Promise((resolve) => setTimeout(resolve, WAIT_MS, null))])
  },
  sockets_of_the_system: () =>
    some(existing(['/run/docker.sock', '/var/run/docker.sock', '/run/dbus/system_bus_socket', '/run/systemd/private'])),
  a_namespace: () => succeeds('/usr/bin/unshare', ['-r', '/usr/bin/true']),
  a_mount: () => succeeds('/usr/bin/mount', ['-t', 'tmpfs', 'none', '/tmp']),
  an_unmount: () => succeeds('/usr/bin/umount', ['/tmp']),
  a_device: () => succeeds('/usr/bin/mknod', ['/tmp/device', 'b', '8', '0']),
  the_log_of_the_kernel: () => succeeds('/usr/bin/dmesg', []),
  descriptors: () => {
    const open = []
    for (let fd = 3; fd < 64; fd += 1) {
      try {
        // Those of Node's own are no files.
        if (fs.fstatSync(fd).isFile() || fs.fstatSync(fd).isDirectory()) open.push(fd)
      } catch {
        // It is not open.
      }
    }
    return some(open)
  },
  files_of_others: () =>
    some([...listed('/tmp').filter((name) => name !== 'locked'), ...listed('/mnt/data'), ...listed('/dev/shm')]),
}

const reached = {}
for (const [name, probe] of Object.entries(PROBES)) {
  try {
    const found = await probe()
    if (found) reached[name] = String(found)
  } catch {
    // It was kept from it.
  }
}
process.stdout.write(JSON.stringify({ tried: Object.keys(PROBES).length, reached }))
process.exit(0)
