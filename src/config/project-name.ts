/** Lower-case letters, digits and hyphens. */
export const PROJECT_NAME = /^[a-z0-9-]{1,40}$/
export const DEFAULT_PROJECT_NAME = 'default'

/** As keys and rows carry it. */
export const projectIdOf = (name: string) => `proj_${name}`
