import type { RunSummary } from './run-facts.ts';

/** Keys of local paths, and of values that a shared report need not contain. */
const LEFT_OUT = ['output', 'seed', 'model', 'adapter', 'data.train', 'data.validation'];

/** Every value of a config as text, by its dotted key, without paths and the seed. */
export function settingsOf(facts: RunSummary): Map<string, string> {
  return new Map(
    shownValuesOf(facts).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

/** Like {@link valuesOf}, without paths and the seed. */
export function shownValuesOf(facts: RunSummary): [string, unknown][] {
  return valuesOf(facts).filter(([key]) => !LEFT_OUT.includes(key));
}

/** Every value of a config, by its dotted key. A list is one value. */
export function valuesOf(config: object): [string, unknown][] {
  return leaves(config, '');
}

function leaves(value: unknown, key: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, inner]) =>
      leaves(inner, key === '' ? name : `${key}.${name}`),
    );
  }
  if (value === undefined || value === null) return [];
  return [[key, value]];
}
