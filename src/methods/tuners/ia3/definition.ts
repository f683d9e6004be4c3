import { z } from 'zod';
import { UserError } from '../../../support/user-error.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import { writePeft } from '../peft/peft-files.ts';
import { savedParameters } from '../saved-parameters.ts';
import { fullMatcher } from '../shared/python-regex.ts';
import { IA3_FILES, ia3Kind } from './ia3-kind.ts';
import { Ia3Tuner } from './ia3-tuner.ts';

const { target_modules, exclude_modules, modules_to_save } = adapterConfigShape;

/** IA3's settings: PEFT's keys. */
const ia3ConfigSchema = z.strictObject({
  /** Modules that are rescaled: names, or a regular expression. */
  target_modules,
  /** Modules that are not rescaled. */
  exclude_modules,
  /** The target modules whose input is rescaled instead of their output: names ([]: none), or a regular expression. */
  feedforward_modules: z.union([z.string().min(1), z.array(z.string().min(1))]).optional(),
  /** Modules to train in full besides the adapter. */
  modules_to_save,
});

type Ia3Config = z.infer<typeof ia3ConfigSchema>;

/** (IA)³ (Liu et al., 2022), with the keys and files of PEFT. */
export const ia3: MethodDefinition<Ia3Config, typeof ia3ConfigSchema> = {
  config: ia3ConfigSchema,
  // The paper's learning rate for T0.
  learningRate: 3e-3,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 3e-3 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const targets = defaultTargets(model, 'rescaled');
    const feedforward_modules = config.feedforward_modules ?? defaultTargets(model, 'rescaledInputs');
    const rescalesInput = nameTest(feedforward_modules);
    const modules = adaptedModules(model, config, targets).map((module) => ({
      ...module,
      ofInput: rescalesInput(module.path),
    }));
    if (config.feedforward_modules?.length && !modules.some(({ ofInput }) => ofInput)) {
      throw new UserError({
        where: 'ia3.feedforward_modules',
        fault: `names none of the target modules, got ${JSON.stringify(feedforward_modules)}`,
      });
    }
    const tuner = new Ia3Tuner(modules, savedParameters(model, { ...config, bias: 'none' }, modules));
    return staticRun(tuner, {
      store: (values, baseModel) =>
        writePeft(IA3_FILES, {
          config: describedAdapter(model, { ...config, feedforward_modules }, targets, modules, baseModel),
          adapted: modules.map(({ path }) => path),
          ...{ layout: tuner.layout, values },
        }),
    });
  },
  kind: ia3Kind,
  words: { title: 'IA3', tags: ['peft', 'ia3'], library: 'peft' },
};

/**
 * Returns a test whether a module matches, by PEFT's rule. A regular expression must match the full path. A list entry
 * matches any suffix of the path, even part of a name.
 */
function nameTest(names: string | readonly string[]): (path: string) => boolean {
  return typeof names === 'string'
    ? fullMatcher('feedforward_modules')(names)
    : (path) => names.some((name) => path.endsWith(name));
}
