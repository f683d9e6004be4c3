import { type Document, isMap, isScalar, LineCounter, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { readText } from '../../input/formats/files.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { checkYaml, yamlDocument } from '../../input/formats/yaml-document.ts';
import { InvalidConfig, type KeyPath, UserError } from '../../support/user-error.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';

/** Maximum size of a config. Configs have a few kilobytes, and parsed YAML takes much more memory than its text. */
export const MAX_CONFIG_BYTES = 2 ** 17;

/** Maximum number of YAML syntax errors to report. Most of them follow from the first. */
const MAX_TOLD = 5;

/** The content of a config file, and the location of each key. */
export interface ConfigFile {
  value: Record<string, unknown>;
  /** The text with the settings applied. Comments are kept. */
  text(): string;
  where(key: KeyPath): string;
}

/**
 * Reads a run's config from a YAML file, as {@link readConfig} does, and parses it.
 *
 * @throws UserError as {@link readConfig} and {@link parseRunConfig} do
 */
export function loadConfig(path: string, settings: readonly string[] = []): ParsedConfig {
  const { value, where } = readConfig(path, settings);
  return parseRunConfig(value, where);
}

/**
 * Reads a run's config from a YAML file and applies `--set key.path=value` settings in order. Paths in
 * settings are relative to the current folder, as on the command line.
 *
 * @returns the config and the location of each key: `cola.yaml:12`, or `--set` for a key from a setting
 * @throws UserError for invalid YAML or an invalid setting
 */
export function readConfig(path: string, settings: readonly string[] = []): ConfigFile {
  return readConfigText(readText(disk, path, 'a config file', MAX_CONFIG_BYTES), path, settings);
}

/**
 * Reads the text of a config, as {@link readConfig} does.
 *
 * @param path its file, for messages
 */
export function readConfigText(text: string, path: string, settings: readonly string[] = []): ConfigFile {
  const lines = new LineCounter();
  checkYaml(text, path);
  const document = yamlDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const shown = document.errors.slice(0, MAX_TOLD);
    const messages = shown.map(({ message, pos }) => {
      const [what] = message.split(/ at line \d+/);
      return `${path}:${lines.linePos(pos[0]).line} is not valid YAML. ${what}`;
    });
    const more = document.errors.length - shown.length;
    throw new InvalidConfig([...messages, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
  }
  if (!isMap(document.contents)) {
    const fault = document.contents === null ? 'is empty' : 'has no keys';
    throw new InvalidConfig({
      where: path,
      fault,
      hint: 'A config is a list of keys and values (see examples/).',
    });
  }
  const set = settings.map((setting) => applied(document, setting));
  const offsetOf = offsets(document);
  return {
    value: plain(document, path) as Record<string, unknown>,
    text: () => document.toString({ lineWidth: 0 }).replace(/\n*$/, '\n'),
    where(key) {
      const isSet = set.some((path) => path.every((part, i) => part === String(key[i])));
      const offset = offsetOf(key);
      if (isSet) return '--set';
      return offset === undefined ? path : `${path}:${lines.linePos(offset).line}`;
    },
  };
}

/** Applies a setting, and returns its path. Throws a UserError if a parent key is not a section, such as an alias. */
function applied(document: Document, setting: string): string[] {
  try {
    return applySetting(document, setting);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new InvalidConfig({
      where: `--set ${setting}`,
      fault: `cannot be applied (${(error as Error).message})`,
    });
  }
}

/**
 * The values of a document. Rejects undefined aliases, and so many aliases that a few lines would expand to
 * gigabytes.
 */
function plain(document: Document, where: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const hint = 'Use few aliases, each defined before its use.';
    throw new InvalidConfig({
      where,
      fault: `is not valid YAML: ${error.message}`,
      hint,
    });
  }
}

type Keyed = YAMLMap<Scalar, unknown>;

/** Returns a function from a key to its position in the file, or to that of its closest existing parent. */
function offsets(document: Document): (path: KeyPath) => number | undefined {
  const known = new Map<Keyed, Map<string, Pair<Scalar, unknown>>>();
  const pairsOf = (map: Keyed) => {
    const found = known.get(map) ?? new Map(map.items.map((pair) => [String(pair.key.value), pair]));
    known.set(map, found);
    return found;
  };
  return (path) => {
    let offset: number | undefined;
    let node: unknown = document.contents;
    for (const part of path) {
      if (!isMap<Scalar, unknown>(node)) break;
      const pair = pairsOf(node).get(String(part));
      if (!pair?.key.range) break;
      [offset] = pair.key.range;
      node = pair.value;
    }
    return offset;
  };
}

/**
 * Applies one `--set` to a config: `training.learning_rate=2e-3`. The value is YAML (`[query, value]`, `true`,
 * `10%`), but `#` does not begin a comment. An empty value or `null` removes the key.
 *
 * @returns the path of the key
 * @throws UserError if it is not `key=value`, or the key is below a plain value
 */
export function applySetting(document: Document, setting: string): string[] {
  const [, key, text] = /^([^\s.=]+(?:\.[^.=]+)*)=(.*)$/s.exec(setting) ?? [];
  if (key === undefined) {
    const hint = 'For example: --set training.learning_rate=1e-3';
    throw new UserError({ key: '--set', expected: 'key=value', got: JSON.stringify(setting), hint });
  }
  const path = key.split('.');
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    const value = document.getIn(above);
    if (value === null) document.deleteIn(above);
    else if (value !== undefined && !isMap(value)) {
      const fault = `cannot be set, because ${above.join('.')} has a value and no keys`;
      throw new UserError({ where: `--set ${setting}`, key, fault });
    }
  }
  const value = settingValue(text!, setting);
  // A missing key is set to null, so that an unknown key is reported.
  if (value === null && document.hasIn(path)) document.deleteIn(path);
  else document.setIn(path, document.createNode(value));
  return path;
}

function settingValue(text: string, setting: string): unknown {
  const parsed = yamlDocument(text.trim());
  if (parsed.errors.length > 0) {
    const hint = `Quote it for YAML and for the shell: --set 'key="value"'.`;
    throw new UserError({ where: `--set ${setting}`, fault: 'has a value that is not valid YAML', hint });
  }
  const node = parsed.contents;
  const isPlainText = isScalar(node) && node.type === 'PLAIN' && typeof node.value === 'string';
  const isComment = node === null && text.trim() !== '';
  return isPlainText || isComment ? text.trim() : parsed.toJS();
}
