import type { Mismatch } from './user-error.ts';

/** Keys that lead from the root of a config to a value. */
export type KeyPath = readonly PropertyKey[];

/** A problem with the value at a path in the config. */
export type Problem = (Omit<Mismatch, 'key'> | { fault: string }) & { path: KeyPath; hint?: string };

/** A value of a config as messages show it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

const MAX_SHOWN = 60;

/** The value at a path; undefined if the path does not exist. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}
