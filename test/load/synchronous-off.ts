/** Loaded before a server: its database no longer waits for the disk. A planted fault, for the test that must find it. */
import { DatabaseSync } from 'node:sqlite'

const { exec } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function execWithoutSync(sql) {
  return exec.call(this, sql.replace(/synchronous\s*=\s*\w+/i, 'synchronous=OFF'))
}
