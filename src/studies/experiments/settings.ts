import { isObject, leaves } from '../../support/options.ts';
import { valueText } from '../report/format.ts';

/** Values of a config by dotted keys: `{ method: 'lora', 'lora.r': 8 }`. */
export type Settings = Readonly<Record<string, unknown>>;

/** A config, or a section of it. */
export type Config = Record<string, unknown>;

/** A config with one value replaced. */
function withSetting(config: Config, [key, ...rest]: readonly string[], value: unknown): Config {
  return { ...config, [key!]: rest.length === 0 ? value : withSetting(Object(config[key!]), rest, value) };
}

/** Overrides a config by the values of another. Sections are merged, and keys may be dotted paths. */
export function mergeSettings(config: Config, over: Readonly<Config>): Config {
  let result = { ...config };
  for (const [key, value] of Object.entries(over)) {
    if (key.includes('.')) result = withSetting(result, key.split('.'), value);
    else
      result[key] = isObject(value) ? mergeSettings(isObject(result[key]) ? result[key] : {}, value) : value;
  }
  return result;
}

/** Flattens nested settings to dotted keys. Lists stay values. */
export function flat(settings: Readonly<Config>): Settings {
  return Object.fromEntries(leaves(settings));
}

/** Formats settings: `training.learning_rate 0.001, method lora`. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${valueText(value)}`)
    .join(', ');
}

/** Maximum length of a folder name. File systems allow 255 bytes. */
const MAX_CHARACTERS = 150;

/**
 * Folder names for settings: the last part of each key and its value, such as `learning_rate=0.001,r=8`.
 * Equal names are numbered.
 */
export function folderNames(all: readonly Settings[]): string[] {
  const taken = new Set<string>();
  return all.map((settings) => {
    const plain = plainName(settings);
    let name = plain;
    for (let number = 2; taken.has(name); number++) name = `${plain}-${number}`;
    taken.add(name);
    return name;
  });
}

function plainName(settings: Settings): string {
  const text = (value: unknown): string =>
    Array.isArray(value) ? value.map(text).join('+') : valueText(value);
  return Object.entries(settings)
    .map(([key, value]) => `${key.split('.').at(-1)}=${text(value)}`)
    .join(',')
    .replace(/[^\w.,=+-]+/g, '_')
    .slice(0, MAX_CHARACTERS);
}
