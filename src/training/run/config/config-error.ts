import type { MethodName } from '../../../methods/tuners/registry.ts';
import { UserError } from '../../../support/user-error.ts';
import type { TaskName } from '../../../tasks/registry.ts';
import type { BaseData } from '../../../tasks/task-definition.ts';

/** The valid parts of an invalid config that name files, or that the files must fit. */
export interface SoundParts {
  model?: string;
  model_config?: Record<string, unknown>;
  adapter?: string;
  task?: TaskName;
  /** The source of the rows. */
  data?: Pick<BaseData, 'dataset' | 'train' | 'validation'>;
  /** Whether the whole `data` section is valid. Then the files can be read with it. */
  readsData?: boolean;
  method?: MethodName;
  /** The method's section. */
  settings?: object;
  /** Number of optimizer steps, if the config sets it. */
  steps?: number;
}

/** All errors in a config. */
export class ConfigError extends UserError {
  readonly sound: SoundParts;

  constructor(message: string, sound: SoundParts) {
    super(message, 'invalid_config');
    this.sound = sound;
  }
}
