/**
 * `shell` in a container of this server, for any model: commands run side by side, and what they say is an item of its
 * own. The container is that of `code_interpreter`, where a response or a conversation uses both.
 */
import type { ShellToolParam } from '../../protocol/client-tools.ts'
import { refuseUnavailable } from '../../protocol/container-rules.ts'
import { unsupportedParameter } from '../../protocol/errors.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { refuseProgramsOnly } from '../allowed-callers.ts'
import { CONTAINER_FOLDER, type Containers, type SeedFile } from '../containers.ts'
import type { FileSource } from '../file-source.ts'
import { type AskedContainer, admitContainer } from '../in-container/admit-container.ts'
import { chooseContainer } from '../in-container/choose-container.ts'
import { tellSeeds } from '../in-container/tell-files.ts'
import type { DeclaredTool, Tool } from '../tool.ts'
import { MAX_COMMANDS } from './read-action.ts'
import { createShellRunner } from './shell-runner.ts'

export type ShellToolOptions = { readonly containers: Containers; readonly source: FileSource }

/** The name the model knows it by. */
export const SHELL_NAME = 'shell'

type Environment = Exclude<NonNullable<ShellToolParam['environment']>, { type: 'local' }>
type ContainerShell = ShellToolParam & { readonly environment: Environment }

export function createShellTool({ containers, source }: ShellToolOptions): Tool {
  return {
    claims: isContainerShell,
    async admit(spec, path, { projectId }) {
      if (!isContainerShell(spec)) return
      const { environment } = spec
      const where = `${path}.environment`
      const why = await containers.unavailable()
      if (why !== null) throw refuseUnavailable(why, `${where}.type`)
      const { hasProcesses } = await containers.traits()
      if (!hasProcesses) throw refuseUnavailable(NO_SHELL, `${where}.type`)
      refuseSkills(environment, where)
      const place = environment.type === 'container_reference' ? `${where}.container_id` : where
      await admitContainer(askedOf(environment), place, { containers, source, projectId })
    },
    echo: (spec) => ({ ...ownSpec(spec) }),
    declare(spec, path) {
      refuseProgramsOnly(ownSpec(spec).allowed_callers, path)
      return []
    },
    async *prepare(spec, preparation, context) {
      const own = ownSpec(spec)
      const chosen = await chooseContainer(askedOf(own.environment), preparation, context, { containers, source })
      return { declared: [declare(own, chosen.seeds)], runner: createShellRunner(chosen), close() {} }
    },
    open() {
      throw new TypeError(PREPARED_FIRST)
    },
    // biome-ignore lint/correctness/useYield: never asked
    async *execute() {
      throw new TypeError(PREPARED_FIRST)
    },
  }
}

const NO_SHELL =
  'its containers have a Python made of WebAssembly, which has no processes; with a python3 on the machine, or `antiphon ' +
  'sandbox serve` on another one, they have a shell'

const PREPARED_FIRST = 'a container is chosen before commands run in it'

const isContainerShell = (spec: ToolParam): spec is ContainerShell =>
  spec.type === 'shell' && !!spec.environment && spec.environment.type !== 'local'

function ownSpec(spec: ToolParam): ContainerShell {
  if (!isContainerShell(spec)) throw new TypeError(`a tool of type '${spec.type}' is no shell in a container`)
  return spec
}

const askedOf = (environment: Environment): AskedContainer =>
  environment.type === 'container_reference' ? environment.container_id : environment

function refuseSkills(environment: Environment, path: string): void {
  if (environment.type !== 'container_auto' || (environment.skills ?? []).length === 0) return
  throw unsupportedParameter(
    `${path}.skills`,
    'This server keeps no skills and unpacks none into a container. Upload their files and name them in file_ids, or ' +
      "say in the instructions what they say; with an environment of type 'local' your client has them.",
  )
}

const DESCRIPTION =
  'Runs commands in a shell of a Linux container, side by side, and tells what each printed and how it ended. Each ' +
  'command has a bash of its own: folders and variables that one sets are not there for the next; files are. Files of ' +
  `the user and files that you make lie in ${CONTAINER_FOLDER}, where commands start. There is no network, nothing can ` +
  'be installed, and what a command leaves running is ended with the call. Cite a file that you made by its mark, as 【1】.'

const PARAMETERS = {
  type: 'object',
  properties: {
    commands: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      maxItems: MAX_COMMANDS,
      description: 'Shell commands. They run at the same time; join what has to follow one another by &&.',
    },
    timeout_ms: { type: 'integer', description: 'Milliseconds that they may take.' },
    max_output_length: { type: 'integer', description: 'Characters of output that are wanted of each at most.' },
  },
  required: ['commands'],
  additionalProperties: false,
}

/** A provider that has the tool knows it as one that its client runs: so it does, in our container. */
const declare = (spec: ContainerShell, seeds: readonly SeedFile[]): DeclaredTool => ({
  declaration: {
    type: 'function',
    name: SHELL_NAME,
    description: `${DESCRIPTION}${tellSeeds(seeds)}`,
    parameters: PARAMETERS,
    strict: false,
    native: { type: 'shell', environment: { type: 'local' } },
  },
  name: SHELL_NAME,
  namespace: null,
  spec,
})
