/** PORT: files of a project by their id, for tools that work on them. */
export interface FileSource {
  /** Null when the project has no such file. */
  open(projectId: string, fileId: string, signal: AbortSignal): Promise<SourceFile | null>
}

export type SourceFile = {
  readonly id: string
  readonly filename: string
  readonly bytes: number
  /** Opens nothing before its first chunk is asked for. */
  readonly content: AsyncIterable<Uint8Array>
}
