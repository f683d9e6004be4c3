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

/** The keys in a method's section that the policy chooses. */
export function sectionKeys(method: MethodName): string[] {
  const { encoder, language } = methodNamed(method).chosen;
  return [...new Set(Object.keys({ ...encoder, ...language }))].filter((key) => key !== 'rate');
}
