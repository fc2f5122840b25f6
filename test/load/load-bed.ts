/** The real server process, before an upstream made for load, on data that outlives it. */
import { type CrashRunner, createCrashRunner, type RunningServer } from '../faults/crash-runner.ts'
import { type LoadUpstream, startLoadUpstream } from './load-upstream.ts'

export type LoadBed = {
  readonly upstream: LoadUpstream
  readonly runner: CrashRunner
  readonly dataDir: string
  start(env?: Readonly<Record<string, string>>): Promise<RunningServer>
  /** Ends whatever still runs and removes the data. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The upstream is the provider `load`. `config`: YAML besides that. */
export async function openLoadBed(config = ''): Promise<LoadBed> {
  const upstream = await startLoadUpstream()
  const provider = `load: { type: openai_compatible, api_base: "${upstream.url}", api_key: none }`
  const runner = createCrashRunner(`providers: { ${provider} }\n${config}\n`)
  const servers: RunningServer[] = []
  return {
    upstream,
    runner,
    dataDir: runner.dataDir,
    async start(env) {
      const server = await runner.start(env)
      servers.push(server)
      return server
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.stop()))
      await upstream.close()
      runner.dispose()
    },
  }
}
