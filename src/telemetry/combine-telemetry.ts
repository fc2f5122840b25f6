import type { Telemetry } from './telemetry.ts'

/** Tells every part of every event. */
export function combineTelemetry(...parts: readonly Telemetry[]): Telemetry {
  const each = (tell: (part: Telemetry) => void) => {
    for (const part of parts) tell(part)
  }
  return {
    requestFinished: (event) => each((part) => part.requestFinished(event)),
    responseFinished: (event) => each((part) => part.responseFinished(event)),
    modelAttempted: (event) => each((part) => part.modelAttempted(event)),
    callPriced: (event) => each((part) => part.callPriced(event)),
    toolCalled: (event) => each((part) => part.toolCalled(event)),
    rateLimited: (event) => each((part) => part.rateLimited(event)),
    unsupportedParam: (event) => each((part) => part.unsupportedParam(event)),
    fellBack: (event) => each((part) => part.fellBack(event)),
    streamOpened: () => each((part) => part.streamOpened()),
    streamClosed: () => each((part) => part.streamClosed()),
    failed: (event) => each((part) => part.failed(event)),
  }
}
