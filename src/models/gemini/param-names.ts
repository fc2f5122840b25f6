/** The fields of a `generateContent` request by their names in the Responses API, for errors that blame one. */
const CONFIG_NAMES = {
  temperature: 'temperature',
  top_p: 'top_p',
  max_output_tokens: 'max_output_tokens',
  stop_sequences: 'stop',
  presence_penalty: 'presence_penalty',
  frequency_penalty: 'frequency_penalty',
  logprobs: 'top_logprobs',
  response_logprobs: 'top_logprobs',
  response_mime_type: 'text.format',
  response_schema: 'text.format',
  response_json_schema: 'text.format',
  thinking_config: 'reasoning',
}

const ROOT_NAMES = {
  model: 'model',
  contents: 'input',
  system_instruction: 'instructions',
  tools: 'tools',
  tool_config: 'tool_choice',
  service_tier: 'service_tier',
}

const toCamelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Google's services name fields in both spellings. */
const bothSpellings = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).flatMap(([name, ours]) => [[name, ours] as const, [toCamelCase(name), ours] as const])

export const PARAM_NAMES: Readonly<Record<string, string>> = Object.fromEntries([
  ...bothSpellings(ROOT_NAMES),
  ...['generation_config', 'generationConfig'].flatMap((parent) =>
    bothSpellings(CONFIG_NAMES).map(([name, ours]) => [`${parent}.${name}`, ours] as const),
  ),
])
