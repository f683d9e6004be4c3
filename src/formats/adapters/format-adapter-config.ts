/** The text of an `adapter_config.json` as PEFT writes it: keys sorted. */
export function formatAdapterConfig(config: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(sortKeys(config), null, 2);
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
