/** `antiphon pull`: a local model, from the hub, an address or a path. */
import { CommandError } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { createPullProgress } from './pull-progress.ts'

const HUB = 'https://huggingface.co'

export const pull: Command = {
  name: 'pull',
  doc: 'Fetch a GGUF model to run in this process.',
  positionals: ['MODEL'],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  details:
    'MODEL is hf:OWNER/REPO, hf:OWNER/REPO:FILE.gguf, hf:OWNER/REPO:QUANTISATION (as Q4_K_M), an https URL or the\n' +
    'path of a file. What was begun is continued. HF_TOKEN opens private repositories, HF_ENDPOINT names a mirror.\n' +
    'To run it, the server needs one more package: npm install node-llama-cpp@3.22.1',
  async run(input, host) {
    const [source = ''] = input.positionals
    const config = await loadConfig(input, pull.options, host)
    const app = await host.loadApp()
    const admin = await app.openPull(config, { hub: hubOf(host) })
    if (admin === null) {
      throw new CommandError('the configuration has no provider of the type "local", so there is no place for models')
    }
    const progress = createPullProgress(host.stderr, host.now)
    // Nothing is lost when the process is simply ended: what was fetched stays, and is continued.
    const { signal } = new AbortController()
    const pulled = await admin.pull(source, { signal, onProgress: progress.show }).finally(progress.end)
    const model = `${admin.provider}/${pulled.name}`
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ model, ...pulled }))
    else {
      for (const { path, sha256, checked } of pulled.files) {
        line(
          host.stderr,
          `${path}: sha256 ${sha256}${checked ? ', as published' : '; nobody publishes one to compare'}`,
        )
      }
      line(host.stdout, pulled.isNew ? `pulled ${model}` : `${model} is there already`)
    }
    return EXIT.ok
  },
}

function hubOf({ env }: Host) {
  const endpoint = (env.HF_ENDPOINT?.trim() || HUB).replace(/\/+$/, '')
  const protocol = URL.parse(endpoint)?.protocol
  if (protocol !== 'https:' && protocol !== 'http:') throw new CommandError('HF_ENDPOINT is no URL')
  return { endpoint, token: env.HF_TOKEN?.trim() || null }
}
