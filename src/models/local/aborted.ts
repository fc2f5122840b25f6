import { ModelError } from '../model.ts'

export const abortedError = () => new ModelError('aborted', 'The model call was aborted.')
