import type { Problem } from '../../support/problem.ts';
import { METHOD_NAMES, type MethodName, methodNamed } from '../../tuners/registry.ts';
import type { SoundSections } from './cross-checks.ts';

/** What is wrong between the method and what it is to start from. */
export function methodProblems(method: MethodName, sections: SoundSections): Problem[] {
  const { adapter, model_init, base_dtype = 'float32' } = sections;
  const { trains, continues, kind } = methodNamed(method);
  const problems: Problem[] = [];
  if (adapter !== undefined && !continues) {
    problems.push({
      path: ['adapter'],
      expected: `method ${methodsThat((name) => methodNamed(name).continues !== undefined)} beside it`,
      got: method,
      hint:
        kind?.unmergeable === undefined
          ? 'Merge the adapter (adalora merge) and give the result as the model.'
          : 'Such adapters are trained in one run: resume it with more steps (--resume) while it has its checkpoints.',
    });
  }
  if (trains === 'adapter' && model_init === 'random') {
    problems.push({
      path: ['model_init'],
      expected: 'checkpoint, where an adapter is trained',
      got: 'random',
      hint: `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}. An adapter of weights that nobody has is of no use.`,
    });
  }
  if (trains === 'model' && base_dtype !== 'float32') {
    problems.push({
      path: ['base_dtype'],
      expected: `float32, where every weight is trained (method: ${method})`,
      got: base_dtype,
      hint: `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or leave base_dtype out.`,
    });
  }
  return problems;
}

function methodsThat(fits: (name: MethodName) => boolean): string {
  const names = METHOD_NAMES.filter(fits);
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}
