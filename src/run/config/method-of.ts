import { type AnyMethod, type MethodName, methodNamed, type Sections } from '../../tuners/registry.ts';
import type { RunConfig } from './run-config.ts';

/** A config's method, and its settings. */
export function methodOf(config: Pick<RunConfig, 'method'> & Partial<Sections>): {
  definition: AnyMethod;
  settings: Record<string, unknown>;
} {
  const sections: Partial<Record<MethodName, object>> = config;
  return {
    definition: methodNamed(config.method),
    settings: { ...sections[config.method] },
  };
}
