/** README and the guides; decision records and folders that only describe the work show nothing to run. */
export const isMarkdownPage = (path: string): boolean =>
  path === 'README.md' || (/^docs\/.+\.md$/.test(path) && !path.startsWith('docs/decisions/'))
