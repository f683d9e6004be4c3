import { isObject } from '../support/is-object.ts';
import { nameOfFunction, type OwnFunctions } from '../tuners/own-function.ts';

/**
 * Replaces the functions in a config's sections by names.
 *
 * @param values receives the functions by name
 */
export function namedFunctions<Config extends object>(
  config: Config,
  values = new Map<string, unknown>(),
): { config: Config; functions: OwnFunctions } {
  const functions: Record<string, string> = {};
  const named = (value: unknown): unknown => {
    if (typeof value !== 'function') return value;
    const source = String(value);
    const name = nameOfFunction(source);
    functions[name] = source;
    values.set(name, value);
    return name;
  };
  const sections = Object.entries(config).map(([key, section]) => [
    key,
    isObject(section)
      ? Object.fromEntries(Object.entries(section).map(([inner, value]) => [inner, named(value)]))
      : section,
  ]);
  return { config: Object.fromEntries(sections) as Config, functions };
}
