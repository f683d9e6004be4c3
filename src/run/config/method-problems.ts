import type { Problem } from '../../support/problem.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../tuners/registry.ts';
import type { SoundSections } from './cross-checks.ts';

/** Finds problems between the method and the model or adapter that the run starts from. */
export function methodProblems(method: MethodName, sections: SoundSections): Problem[] {
  const { adapter, model_init, base_dtype = 'float32' } = sections;
  const { trains, continues, kind, requiredBase } = methodNamed(method);
  const problems: Problem[] = [];
  if (adapter !== undefined && !continues) {
    problems.push({
      path: ['adapter'],
      fault: `requires method ${methodsThat((name) => methodNamed(name).continues !== undefined)}, got ${method}`,
      hint:
        kind?.unmergeable === undefined
          ? 'Merge the adapter (adalora merge) and set model to the result.'
          : 'Such an adapter is trained in one run. Resume that run with more steps (--resume).',
    });
  }
  const required = sections.settings && requiredBase?.(sections.settings);
  if (required && required.dtype !== base_dtype) {
    problems.push({
      path: ['base_dtype'],
      fault: `must be ${required.dtype} with ${method}.${required.key}, got ${base_dtype}`,
      hint: `Set base_dtype: ${required.dtype}, or another start.`,
    });
  }
  if (trains === 'adapter' && model_init === 'random') {
    problems.push({
      path: ['model_init'],
      fault: `cannot be random with method ${method}, because the adapter would belong to weights that are not saved`,
      hint: `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}.`,
    });
  }
  if (trains === 'model' && base_dtype !== 'float32') {
    problems.push({
      path: ['base_dtype'],
      expected: `float32 with method ${method}, which trains every weight`,
      got: base_dtype,
      hint: `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or remove base_dtype.`,
    });
  }
  return problems;
}

function methodsThat(fits: (name: MethodName) => boolean): string {
  const names = METHOD_NAMES.filter(fits);
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}
