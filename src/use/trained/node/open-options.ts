import type { Device } from '../../../engine/runtime/session.ts';
import { BASE_DTYPES, type BaseDtype } from '../../../program/bases/base-dtype.ts';
import { type OptionTypes, oneOf, TEXT } from '../../../support/options.ts';
import { COMMON_OPEN_OPTIONS, type CommonOpenOptions } from '../model-options.ts';

export interface OpenOptions extends CommonOpenOptions<string, Device> {
  /** Type of the frozen weights. Default: float32 whatever the run used, or the only type that the adapter fits. */
  baseDtype?: BaseDtype | undefined;
}

export const OPEN_OPTIONS: OptionTypes<OpenOptions> = {
  ...COMMON_OPEN_OPTIONS,
  model: TEXT,
  baseDtype: oneOf(...BASE_DTYPES),
};
