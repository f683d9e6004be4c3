/**
 * Formats an `adapter_config.json` as PEFT and AdapterHub write it, with sorted keys.
 *
 * @param floats keys with float values; whole numbers get a decimal point, because Python distinguishes 1.0
 * from 1
 */
export function formatAdapterConfig(
  config: Readonly<Record<string, unknown>>,
  floats: readonly string[] = [],
): string {
  const text = JSON.stringify(sortKeys(config), null, 2);
  if (floats.length === 0) return text;
  const wholeNumber = new RegExp(`^( *"(?:${floats.join('|')})": -?\\d+)(?=,?$)`, 'gm');
  return text.replace(wholeNumber, '$1.0');
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
