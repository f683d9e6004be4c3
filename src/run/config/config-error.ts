import { UserError } from '../../support/user-error.ts';
import type { TaskName } from '../../tasks/registry.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import type { MethodName } from '../../tuners/registry.ts';

/** Of a config, in which other things may be wrong, what leads to files and what has to fit them. */
export interface SoundParts {
  model?: string;
  model_config?: Record<string, unknown>;
  adapter?: string;
  task?: TaskName;
  /** Where its rows are. */
  data?: Pick<BaseData, 'dataset' | 'train' | 'validation'>;
  /** Whether `data` is sound as a whole, so that the files can be read by it. */
  readsData?: boolean;
  method?: MethodName;
  /** The method's section. */
  settings?: object;
  /** Optimizer steps, where the config says them. */
  steps?: number;
}

/** The mistakes of a config. */
export class ConfigError extends UserError {
  readonly sound: SoundParts;

  constructor(message: string, sound: SoundParts) {
    super(message);
    this.sound = sound;
  }
}
