/** `antiphon models test`: asks a model what it can do, and keeps what it answers. */
import { CommandError, type DeploymentTest, type ProbeLine } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { tableText } from './table-text.ts'

export const modelsTest: Command = {
  name: 'models test',
  doc: 'Ask models small questions to learn what they can do.',
  positionals: [],
  optionalPositionals: ['[NAME]'],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  details:
    'Without NAME: every deployment of the configured models, else the default model. Each gets about a dozen short\n' +
    'questions, which cost a few thousand tokens. What is found is kept in capabilities.json in the data directory; a\n' +
    'server uses it from its next start on. What the configuration says of a model stands above it.',
  async run(input, host) {
    const config = await loadConfig(input, modelsTest.options, host)
    const [name = null] = input.positionals
    const app = await host.loadApp()
    await using tester = await app.openModelTester(config)
    const deployments = await tester.deployments(name)
    if (deployments.length === 0) {
      throw new CommandError(name === null ? 'there is no model to test' : `there is no model "${name}"`)
    }
    const isJson = input.switches.has('json')
    const tests: { readonly model: string; readonly test: DeploymentTest }[] = []
    for (const deployment of deployments) {
      const model = `${deployment.provider}/${deployment.upstreamModel}`
      if (!isJson) line(host.stderr, `testing ${plain(model)} ...`)
      const onResult = () => (isJson || !host.stderr.isTerminal ? undefined : host.stderr.write('.'))
      tests.push({ model, test: await tester.test(deployment, { signal: AbortSignal.timeout(MAX_TEST_MS), onResult }) })
      if (!isJson && host.stderr.isTerminal) line(host.stderr)
    }
    if (isJson)
      line(
        host.stdout,
        JSON.stringify(
          tests.map(({ model, test }) => ({ model, ...test })),
          null,
          2,
        ),
      )
    else for (const { model, test } of tests) show(host, model, test)
    return tests.every(({ test }) => test.saved) ? EXIT.ok : EXIT.failed
  },
}

/** Of one deployment: a slow local model takes minutes over a dozen answers. */
const MAX_TEST_MS = 1_800_000

function show({ stdout, stderr }: Host, model: string, { results, fields, saved }: DeploymentTest): void {
  const support = (field: string | null) => (field === null ? '' : (fields[field] ?? 'as declared'))
  const row = ({ name, field, outcome, note }: ProbeLine) => [
    name,
    field ?? '',
    outcome,
    support(field),
    plain(note ?? ''),
  ]
  line(stdout, plain(model))
  line(stdout, tableText(['QUESTION', 'FIELD', 'FOUND', 'USED AS', ''], results.map(row)))
  if (!saved) line(stderr, `${plain(model)} could not be asked everything; nothing was kept.`)
}

/** Names and messages come from providers. */
const plain = (text: string) => text.replace(/\p{Cc}/gu, '?')
