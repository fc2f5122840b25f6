/** In the place of `runResponse`: a planned run that calls no model. What it leaves is a response to continue from. */
import { NO_USAGE } from '../protocol/usage.ts'
import { EventComposer } from './compose-events.ts'
import type { RunSource } from './start-run.ts'

export const prepareResponse: RunSource = async function* (plan, _context, deps) {
  const composer = new EventComposer(plan.response, deps)
  composer.begin()
  yield composer.take()
  composer.end({ status: 'completed' }, NO_USAGE)
  yield composer.take()
}
