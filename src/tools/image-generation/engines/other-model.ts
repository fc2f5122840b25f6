import type { ImageSettings, SettingRefusal } from '../image-engine.ts'

/** An operator who names a model pays for that one. Where none is named the request may choose. */
export const otherModel = ({ model }: ImageSettings, configured: string | null): SettingRefusal | null =>
  model === null || configured === null || model === configured
    ? null
    : { field: 'model', advice: `can only be '${configured}' on this server. Leave it out.` }
