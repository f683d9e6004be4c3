import { knownKeys } from './known-keys.ts';
import type { ParsedConfig } from './run-config.ts';

/**
 * Returns a config with the keys of each section in the schema's order. Its YAML file and the model card show them in
 * that order. Otherwise, the order would differ between a new and a resumed run.
 */
export function inSchemaOrder<Config extends ParsedConfig>(config: Config): Config {
  const known = knownKeys(config.task);
  const sections = Object.entries(config).map(([name, section]) => {
    const keys = known[name];
    if (!keys || typeof section !== 'object' || section === null) return [name, section];
    const values = section as Readonly<Record<string, unknown>>;
    const present = keys.filter((key) => Object.hasOwn(values, key));
    return [name, { ...Object.fromEntries(present.map((key) => [key, values[key]])), ...values }];
  });
  return Object.fromEntries(sections) as Config;
}
