/** How Responses endpoints differ, as data. */

export type ResponsesQuirks = {
  /** Takes tools of type `custom` (free text), with their grammars. */
  readonly customTools: boolean
  /** Has the API's own tools that a client runs: shells, patches, computers. Else they are declared as functions. */
  readonly clientTools: boolean
  /** Takes `tool_choice: { type: 'allowed_tools' }`; else the tools themselves are filtered. */
  readonly allowedTools: boolean
  /** Takes `presence_penalty` and `frequency_penalty`: Open Responses has them, OpenAI refuses them. */
  readonly penalties: boolean
  /** Takes `stop`, which is no field of the API. */
  readonly stop: boolean
  /** Takes `stream_options.include_obfuscation`; the padding is of no use between servers. */
  readonly obfuscationOption: boolean
  /** Seals reasoning for later turns when it is asked to. */
  readonly encryptedReasoning: boolean
  /** Earlier reasoning that nobody sealed is sent back as its text. OpenAI takes only what it sealed itself. */
  readonly reasoningText: boolean
  /** Has `POST /responses/input_tokens`. */
  readonly inputTokens: boolean
}

/** An endpoint we know nothing about: what every server takes that speaks the API, hosted or local. */
export const DEFAULT_RESPONSES_QUIRKS: ResponsesQuirks = {
  customTools: false,
  clientTools: false,
  allowedTools: false,
  penalties: true,
  stop: false,
  obfuscationOption: false,
  encryptedReasoning: true,
  reasoningText: true,
  inputTokens: true,
}
