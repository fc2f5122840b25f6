/** Google's Gemini. */
import {
  eventStream,
  type Failure,
  fields,
  type Heard,
  type HeardPart,
  json,
  list,
  numberOrNull,
  pieces,
  SPENT,
  type Wire,
} from '../said.ts'

const FINISH = { done: 'STOP', length: 'MAX_TOKENS', filtered: 'SAFETY' }

const FAILURES: Readonly<Record<Failure, readonly [number, string, string]>> = {
  overloaded: [503, 'UNAVAILABLE', 'The model is overloaded.'],
  rate_limit: [429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'],
  bad_key: [400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'],
  no_model: [404, 'NOT_FOUND', 'models/nothing is not found for API version v1beta.'],
  too_long: [400, 'INVALID_ARGUMENT', 'The input token count (20) exceeds the maximum number of tokens allowed (10).'],
  invalid: [400, 'INVALID_ARGUMENT', 'temperature is too hot'],
  broken: [500, 'INTERNAL', 'An internal error has occurred.'],
}

export const gemini: Wire = {
  name: 'Gemini',
  api: 'gemini',
  base: '/v1beta',
  signed: ({ signature }) => Buffer.from(signature).toString('base64'),
  declines: false,
  asks: (path) => /^\/v1beta\/models\/[^/]+:streamGenerateContent/.test(path),
  hear: ({ path, body }) => hear(path, body),
  say({ says, ends = 'done', spent = SPENT }) {
    const frames: string[] = []
    const send = (chunk: object) => frames.push(`data: ${JSON.stringify(chunk)}\r\n\r\n`)
    const part = (value: object) => send({ candidates: [{ index: 0, content: { role: 'model', parts: [value] } }] })
    let signature: string | null = null
    for (const said of says) {
      if ('thought' in said) {
        for (const text of pieces(said.thought)) part({ text, thought: true })
        signature = said.signature
        continue
      }
      const thoughtSignature = signature === null ? {} : { thoughtSignature: Buffer.from(signature).toString('base64') }
      signature = null
      if ('call' in said) {
        part({ functionCall: { name: said.call, args: said.input }, ...thoughtSignature })
        continue
      }
      const words = pieces(said.text)
      words.forEach((text, index) => {
        part(index === words.length - 1 ? { text, ...thoughtSignature } : { text })
      })
    }
    const candidates = [{ index: 0, content: { role: 'model', parts: [] }, finishReason: FINISH[ends] }]
    const usageMetadata = {
      promptTokenCount: spent.input,
      ...(spent.cached > 0 ? { cachedContentTokenCount: spent.cached } : {}),
      candidatesTokenCount: spent.output - spent.thoughts,
      ...(spent.thoughts > 0 ? { thoughtsTokenCount: spent.thoughts } : {}),
      totalTokenCount: spent.input + spent.output,
    }
    send({ candidates, usageMetadata, modelVersion: 'm', responseId: 'r1' })
    return eventStream(frames)
  },
  fail(failure) {
    const [code, status, message] = FAILURES[failure]
    const details =
      failure === 'bad_key' ? [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }] : []
    return json(code, { error: { code, message, status, details } })
  },
  other: ({ path }) =>
    path.includes(':countTokens')
      ? json(200, { totalTokens: 20 })
      : json(200, {
          models: [
            {
              name: 'models/model-1',
              displayName: 'Model 1',
              inputTokenLimit: 100_000,
              outputTokenLimit: 8_000,
              supportedGenerationMethods: ['generateContent', 'countTokens'],
            },
          ],
        }),
}

const textsOf = (content: unknown) => list(fields(content).parts).map(({ text }) => String(text ?? ''))

function hear(path: string, body: Readonly<Record<string, unknown>>): Heard {
  const config = fields(body.generationConfig)
  const calling = fields(fields(body.toolConfig).functionCallingConfig)
  return {
    model: decodeURIComponent(/models\/([^:]+):/.exec(path)?.[1] ?? ''),
    system: textsOf(body.systemInstruction).join('\n'),
    parts: list(body.contents).flatMap(({ role, parts }) =>
      list(parts).flatMap((part) => hearPart(part, role === 'model')),
    ),
    tools: list(body.tools).flatMap(({ functionDeclarations }) =>
      list(functionDeclarations).map(({ name, parameters, parametersJsonSchema }) => ({
        name: String(name),
        schema: parametersJsonSchema ?? parameters,
      })),
    ),
    choice: hearChoice(calling),
    schema: config.responseJsonSchema ?? config.responseSchema ?? null,
    maxTokens: numberOrNull(config.maxOutputTokens),
    temperature: numberOrNull(config.temperature),
    stop: Array.isArray(config.stopSequences) ? config.stopSequences : [],
  }
}

function hearPart(part: Record<string, unknown>, ofModel: boolean): HeardPart[] {
  if (part.functionCall) {
    const { name, args } = fields(part.functionCall)
    return [{ from: 'model', call: String(name), input: args ?? {} }]
  }
  if (part.functionResponse) return [hearResult(fields(fields(part.functionResponse).response))]
  if (part.inlineData) {
    const { mimeType, data } = fields(part.inlineData)
    const value = `data:${mimeType};base64,${data}`
    return [String(mimeType).startsWith('image/') ? { from: 'user', image: value } : { from: 'user', file: value }]
  }
  if (part.fileData) return [{ from: 'user', image: String(fields(part.fileData).fileUri) }]
  if (part.thought === true) return [{ from: 'model', thought: String(part.text) }]
  return part.text === '' ? [] : [{ from: ofModel ? 'model' : 'user', text: String(part.text) }]
}

/** Results are objects here: a text stands under `output` or `result`, anything else is itself. */
function hearResult(response: Record<string, unknown>): HeardPart {
  const [only] = Object.values(response)
  return {
    from: 'tool',
    result: typeof only === 'string' && Object.keys(response).length === 1 ? only : JSON.stringify(response),
  }
}

function hearChoice({ mode, allowedFunctionNames }: Record<string, unknown>): Heard['choice'] {
  if (mode === 'NONE') return 'none'
  if (Array.isArray(allowedFunctionNames) && allowedFunctionNames.length > 0) return { only: allowedFunctionNames }
  return mode === 'ANY' ? 'required' : 'auto'
}
