/** What we send, as `generateContent` spells it. Replies are read from unknown JSON and have no types here. */

export type GeminiBlob = { readonly mimeType: string; readonly data: string }

/** Exactly one of the data fields is there. */
export type GeminiPart = {
  readonly text?: string
  /** A thought of the model, not its answer. */
  readonly thought?: true
  readonly inlineData?: GeminiBlob
  readonly fileData?: { readonly mimeType?: string; readonly fileUri: string }
  readonly functionCall?: { readonly id?: string; readonly name: string; readonly args: unknown }
  readonly functionResponse?: {
    readonly id?: string
    readonly name: string
    readonly response: Readonly<Record<string, unknown>>
    /** Images and files of the output, for models that take them here. */
    readonly parts?: readonly { readonly inlineData: GeminiBlob }[]
  }
  /** Opaque; it must come back on exactly the part it came with. */
  readonly thoughtSignature?: string
}

export type GeminiContent = { readonly role: 'user' | 'model'; readonly parts: readonly GeminiPart[] }

/** JSON Schema in the part of it that Gemini knows; see encode-schema. */
export type GeminiSchema = Readonly<Record<string, unknown>>

export type GeminiFunction = {
  readonly name: string
  readonly description?: string
  readonly parametersJsonSchema?: GeminiSchema
}

export type FunctionCallingMode = 'AUTO' | 'ANY' | 'NONE' | 'VALIDATED'

export type GeminiTools = {
  readonly tools?: readonly [{ readonly functionDeclarations: readonly GeminiFunction[] }]
  readonly toolConfig?: {
    readonly functionCallingConfig: {
      readonly mode: FunctionCallingMode
      readonly allowedFunctionNames?: readonly string[]
    }
  }
}

export type GeminiRequest = GeminiTools & {
  readonly contents: readonly GeminiContent[]
  readonly systemInstruction?: { readonly parts: readonly GeminiPart[] }
  readonly generationConfig?: Readonly<Record<string, unknown>>
  readonly serviceTier?: string
}
