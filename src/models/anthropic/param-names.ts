/** The fields of a Messages request by their names in the Responses API, for errors that blame one. */
export const PARAM_NAMES = {
  messages: 'input',
  system: 'instructions',
  max_tokens: 'max_output_tokens',
  output_config: 'text.format',
  output_format: 'text.format',
  thinking: 'reasoning',
  stop_sequences: 'stop',
  metadata: 'safety_identifier',
  model: 'model',
  tools: 'tools',
  tool_choice: 'tool_choice',
  temperature: 'temperature',
  top_p: 'top_p',
  service_tier: 'service_tier',
}
