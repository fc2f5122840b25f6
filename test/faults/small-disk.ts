/** A real file system of a few megabytes that one server sees, where the system allows to make one without rights. */
import { spawnSync } from 'node:child_process'
import { statfsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const canMount = () => spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

/** Why a test is skipped; false where it need not be. */
export const NO_SMALL_DISK = canMount() ? false : 'this system makes no private file systems'

/** What stands before the command of a server so that this directory is such a file system to it. */
export const onSmallDisk = (directory: string, megabytes: number): readonly string[] => {
  const mount = `mount -t tmpfs -o size=${megabytes}m none "$0" && exec "$@"`
  return ['unshare', '-rm', 'sh', '-c', mount, directory]
}

/** Until no more than so many bytes are left: by default to the last one. */
export function fillDisk(path: string, leave = 0): void {
  const left = () => {
    const { bavail, bsize } = statfsSync(dirname(path))
    return bavail * bsize
  }
  for (const size of [1024 * 1024, 4096, 1]) {
    const piece = Buffer.alloc(size)
    for (let full = false; !full && (leave === 0 || left() >= leave + size); ) {
      try {
        writeFileSync(path, piece, { flag: 'a' })
      } catch {
        full = true
      }
    }
  }
}
