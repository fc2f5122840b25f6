/** Milliseconds of processor time that this process has used: how much work something is, however busy the machine. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
