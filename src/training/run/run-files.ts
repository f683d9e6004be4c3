import { wholeFile } from '../../input/formats/byte-source.ts';
import { type FolderFiles, openFile } from '../../input/formats/files.ts';
import { MAX_YAML_BYTES, parseYaml } from '../../input/formats/yaml-document.ts';
import { moduleOfMethod } from '../../methods/tuners/registry.ts';
import { UserError } from '../../support/user-error.ts';
import { moduleOfTask } from '../../tasks/registry.ts';
import { fingerprintSettings } from './config/fingerprint-settings.ts';
import { parseRunConfig } from './config/parse-run-config.ts';
import { keepChoices } from './config/resolve-config.ts';
import type { ParsedConfig, RunConfig } from './config/run-config.ts';

/** The names of the files and folders in a run's folder. */
export const RUN_FILES = {
  config: 'config.yaml',
  metrics: 'metrics.jsonl',
  /** See `ImportanceLog`. */
  importance: 'importance.f32',
  importanceModules: 'importance.json',
  checkpoints: 'checkpoints',
  /** See `openFolds`. */
  folds: 'folds',
  adapter: 'adapter',
  /** The whole fine-tuned model, for methods without an adapter. */
  model: 'model',
  card: 'README.md',
  /** Ranks that were chosen before the first step, by PEFT's keys. */
  rankPattern: 'rank_pattern.json',
};

/** Parses a run's config.yaml. Throws a UserError for a missing or invalid file. */
export function runYaml(run: FolderFiles, expected = 'the config of a run'): unknown {
  const file = openFile(run, RUN_FILES.config, expected);
  return parseYaml(wholeFile(file, MAX_YAML_BYTES), file.path);
}

/** Reads the config.yaml of a run. */
export function startedWith(run: FolderFiles, ownMetrics: readonly string[] | undefined): RunConfig {
  // A run's own config.yaml is complete.
  const given = runYaml(run, "the run's config");
  return parseRunConfig(given, run.path(RUN_FILES.config), ownMetrics) as RunConfig;
}

/**
 * The config of a resumed run. If the folder has a config.yaml, keys that are not set get the values from the run's
 * start.
 */
export function asBegun(
  config: ParsedConfig,
  run: FolderFiles,
  ownMetrics?: readonly string[],
): ParsedConfig {
  if (!run.has(RUN_FILES.config)) return config;
  try {
    return keepChoices(config, startedWith(run, ownMetrics));
  } catch (error) {
    // A killed process may have written only half of it. If the run has checkpoints, they reveal a mismatch.
    if (error instanceof UserError) return config;
    throw error;
  }
}

/** The settings that differ between a config and the run in a folder, with both values. */
export function differencesFrom(
  config: RunConfig,
  run: FolderFiles,
  ownMetrics?: readonly string[],
): string[] {
  if (!run.has(RUN_FILES.config)) return [];
  const before = fingerprintSettings(startedWith(run, ownMetrics));
  const now = fingerprintSettings(config);
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((key) => before.get(key) !== now.get(key))
    .map((key) => `${key} is ${now.get(key) ?? 'not set'} (was ${before.get(key) ?? 'not set'})`);
}

/** The error for resuming a run with other settings or data. It names the differences. */
export function otherRun(config: RunConfig, run: FolderFiles, ownMetrics?: readonly string[]): UserError {
  const differences = differencesFrom(config, run, ownMetrics);
  const contents = ['the data files', 'the model files (weights, config.json and those for its inputs)'];
  if (!run.has(RUN_FILES.config)) contents.unshift('the config');
  if (config.adapter !== undefined) contents.push('the adapter');
  if (moduleOfMethod(config.method) ?? moduleOfTask(config.task))
    contents.push('the modules that define its method and task');
  return new UserError({
    where: `output: ${config.output}`,
    fault:
      differences.length > 0
        ? `holds a run with other settings: ${differences.join(', ')}`
        : `holds a run with other content in ${contents.join(' or ')}`,
    hint: 'Resume with its own config.yaml, or choose another output folder.',
    code: 'already_exists',
  });
}
