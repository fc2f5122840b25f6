/** Keys that belong to features this version does not have. They are refused by name, never ignored. */

const FEATURES: Readonly<Record<string, string>> = {
  auth: 'sign-in by OIDC and a master key are not part of this version; keys are under "keys"',
  batch: 'batches are not part of this version',
  budget_duration: 'budgets are not part of this version',
  cache: 'a shared cache is not part of this version',
  catalog: 'a price list of your own is not part of this version; prices of a model are under its "model_info"',
  code_interpreter: 'the code interpreter is under "tools.code_interpreter"',
  file_search: 'what file search takes is under "tools.file_search"',
  files: 'where files lie is "storage.files"; how long and how large, "retention.files" and "limits"',
  general_settings: 'LiteLLM files are not read by this version; write "server", "storage" and "keys"',
  litellm_settings: 'LiteLLM files are not read by this version; write "defaults" and "router"',
  max_budget: 'budgets are not part of this version',
  max_parallel_requests: 'limits per key are not part of this version',
  mcp: 'MCP servers are under "tools.mcp.servers"',
  model_list: 'LiteLLM files are not read by this version; write "models"',
  oidc: 'sign-in by OIDC is not part of this version',
  otlp: 'OpenTelemetry export is not part of this version',
  privacy: 'redaction rules are not part of this version',
  router_settings: 'LiteLLM files are not read by this version; write "router"',
  rpm_limit: 'rate limits are not part of this version',
  s3: 'buckets are under "storage.files" and "storage.s3"',
  tpm_limit: 'rate limits are not part of this version',
  vector_store: 'vector stores lie in "storage.data_dir"; their embedding model is "tools.file_search.embedding_model"',
}

export const featureToCome = (key: string): string | null =>
  Object.hasOwn(FEATURES, key) ? (FEATURES[key] ?? null) : null
