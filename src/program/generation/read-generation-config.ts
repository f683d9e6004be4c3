import { suggest } from '../../support/nearest.ts';
import type { Complaint } from '../../support/user-error.ts';
import { GENERATION_KEYS, type GenerationConfig, generationConfigSchema } from './generation-config.ts';

export interface ReadConfig {
  /** The valid keys. Their combinations can be checked even if other keys are invalid. */
  config: GenerationConfig;
  /** Known keys that are null. */
  nulls: readonly string[];
  problems: readonly Complaint[];
}

/**
 * Reads the supported keys of an untrusted config. Unknown keys are an error if a user wrote them. In files
 * they are accepted, because transformers' files have dozens of them.
 */
export function readGenerationConfig(value: unknown, where: string, from: 'person' | 'file'): ReadConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { config: {}, nulls: [], problems: [{ where, fault: `must be an object, got ${shown(value)}` }] };
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const isKnown = ([key]: [string, unknown]) => (GENERATION_KEYS as string[]).includes(key);
  const unknown = from === 'file' ? [] : entries.filter((entry) => !isKnown(entry));
  const known = entries.filter(isKnown).filter(([key, inner]) => !(from === 'file' && isNoToken(key, inner)));
  const values = Object.fromEntries(known.filter(([, inner]) => inner !== null));
  const schema = generationConfigSchema.partial();
  const wrong = new Set(schema.safeParse(values).error?.issues.map(({ path }) => String(path[0])));
  return {
    config: schema.parse(Object.fromEntries(Object.entries(values).filter(([key]) => !wrong.has(key)))),
    nulls: known.filter(([, inner]) => inner === null).map(([key]) => key),
    problems: [
      ...unknown.map(([key, inner]) => ({
        where: `${where}: ${key}`,
        fault: `is not a known key, got ${shown(inner)}`,
        hint: suggest(key, GENERATION_KEYS),
      })),
      ...[...wrong].map((key) => ({
        where: `${where}: ${key}`,
        fault: `must be ${generationConfigSchema.shape[key as keyof GenerationConfig].description ?? ''}, got ${shown(values[key])}`,
      })),
    ],
  };
}

/** Whether a value means that the token does not exist. Old files write -1. */
function isNoToken(key: string, value: unknown): boolean {
  return key.endsWith('_token_id') && value === -1;
}

const MAX_SHOWN = 60;

/** Formats a config's value for messages. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}
