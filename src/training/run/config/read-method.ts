import type { AnyMethod } from '../../../methods/tuners/method-definition.ts';
import { type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import type { ParsedConfig } from './run-config.ts';

/** Returns a config's method and its settings. */
export function readMethod(config: Pick<ParsedConfig, 'method'>): {
  definition: AnyMethod;
  settings: Record<string, unknown>;
} {
  const sections = config as Partial<Record<MethodName, object>>;
  return {
    definition: methodNamed(config.method),
    settings: { ...sections[config.method] },
  };
}
