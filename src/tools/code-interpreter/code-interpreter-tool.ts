/**
 * `code_interpreter`, run here: Python in a container of the caller's, for any model. A conversation keeps its container
 * while it lives, and with it its variables and files.
 */
import { refuseUnavailable } from '../../protocol/container-rules.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { refuseProgramsOnly } from '../allowed-callers.ts'
import { CONTAINER_FOLDER, type Containers, type ContainerTraits, type SeedFile } from '../containers.ts'
import type { FileSource } from '../file-source.ts'
import { admitContainer } from '../in-container/admit-container.ts'
import { chooseContainer } from '../in-container/choose-container.ts'
import { tellSeeds } from '../in-container/tell-files.ts'
import type { DeclaredTool, Tool } from '../tool.ts'
import { createCodeRunner } from './code-runner.ts'

export type CodeInterpreterOptions = {
  readonly containers: Containers
  readonly source: FileSource
  /** Where a model's provider runs it, leave it to the provider. */
  readonly providerFirst: boolean
}

/** The name the model knows it by. */
export const CODE_INTERPRETER_NAME = 'code_interpreter'

type CodeParam = Extract<ToolParam, { type: 'code_interpreter' }>

export function createCodeInterpreterTool({ containers, source, providerFirst }: CodeInterpreterOptions): Tool {
  let isOff = false
  return {
    claims: ({ type }) => type === 'code_interpreter',
    yieldsToProvider: () => providerFirst || isOff,
    async admit(spec, path, { projectId, isCarried }) {
      if (isCarried && providerFirst) return
      const why = await containers.unavailable()
      isOff = why !== null
      if (why !== null && isCarried) return
      if (why !== null) throw refuseUnavailable(why, `${path}.type`)
      const wanted = codeParam(spec).container ?? { type: 'auto' }
      await admitContainer(wanted, `${path}.container`, { containers, source, projectId })
    },
    echo(spec) {
      const param = codeParam(spec)
      return { ...param, container: param.container ?? { type: 'auto' } }
    },
    declare(spec, path) {
      refuseProgramsOnly(codeParam(spec).allowed_callers, path)
      return []
    },
    async *prepare(spec, preparation, context) {
      const param = codeParam(spec)
      const wanted = param.container ?? {}
      const chosen = await chooseContainer(wanted, preparation, context, { containers, source })
      const about = describe(await containers.traits(), chosen.seeds)
      return { declared: [declare(param, about)], runner: createCodeRunner(chosen), close() {} }
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

const PREPARED_FIRST = 'a container is chosen before code runs in it'

function codeParam(spec: ToolParam): CodeParam {
  if (spec.type !== 'code_interpreter') throw new TypeError(`a tool of type '${spec.type}' is no code interpreter`)
  return spec
}

const DESCRIPTION =
  'Runs Python and shows what it printed, the value of its last line, and figures that matplotlib shows. Use it to ' +
  'calculate, to read and analyse data, and to make files and plots. Variables stay from call to call. Files of the ' +
  `user and files that you make lie in ${CONTAINER_FOLDER}, which is the working directory. There is no network, and ` +
  'no package can be installed; '
const PACKAGES = 'numpy, pandas and matplotlib may be there.'
const NO_PACKAGES =
  'there is the standard library alone: no numpy, no pandas, no matplotlib, no threads, and no other programs can be started.'
const LAST = ' Print what you want to see. Cite a file that you made by its mark, as 【1】.'

const describe = ({ hasPackages }: ContainerTraits, seeds: readonly SeedFile[]): string =>
  `${DESCRIPTION}${hasPackages ? PACKAGES : NO_PACKAGES}${LAST}${tellSeeds(seeds)}`

const declare = (spec: CodeParam, description: string): DeclaredTool => ({
  declaration: {
    type: 'function',
    name: CODE_INTERPRETER_NAME,
    description,
    parameters: {
      type: 'object',
      properties: { code: { type: 'string', description: 'Python source code.' } },
      required: ['code'],
      additionalProperties: false,
    },
    strict: false,
  },
  name: CODE_INTERPRETER_NAME,
  namespace: null,
  spec,
})
