import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { FolderMachine } from '../machine.ts';
import type { PlannedBase } from '../plan/plan.ts';
import type { CalibrationProgress } from './calibration.ts';

/** Progress for a base type. `made` means that its base is now in the cache, where a run will find it. */
export type MeasureEvent = { dtype: BaseDtype } & (CalibrationProgress | { what: 'begin' | 'made' });

export interface MeasureOptions {
  /** Aborting ends the measurement at once. */
  signal?: AbortSignal;
  /** Measures for fewer seconds, for a rough estimate. */
  isQuick?: boolean;
  onEvent?: (event: MeasureEvent) => void;
}

/**
 * Measures a planned run with each type of its base. For each type, a separate process trains and evaluates
 * for some seconds. A base that is not cached is made first, in another process. The run's folder is not
 * changed. If a type fails, its entry contains the failure.
 *
 * @throws the signal's reason when it is aborted
 */
export async function measureBases(
  machine: Pick<FolderMachine, 'model' | 'inChild'>,
  parsed: ParsedConfig,
  bases: readonly PlannedBase[],
  { signal, isQuick, onEvent = () => {} }: MeasureOptions = {},
): Promise<PlannedBase[]> {
  // Resolved only once, so that all processes measure the same files.
  const { files } = await machine.model(parsed.model, { changes: parsed.model_config });
  const measured: PlannedBase[] = [];
  for (const base of bases) {
    const { dtype } = base;
    const config = { ...parsed, model: files.name, base_dtype: dtype };
    const onProgress = (progress: CalibrationProgress) => onEvent({ dtype, ...progress });
    onEvent({ dtype, what: 'begin' });
    try {
      const made =
        dtype !== 'float32' && (await machine.inChild((child) => child.makeBase(config, onProgress), signal));
      if (made) onEvent({ dtype, what: 'made' });
      const calibration = await machine.inChild(
        (child) => child.measure(config, isQuick ?? false, onProgress),
        signal,
      );
      measured.push({ ...base, measured: calibration });
    } catch (error) {
      signal?.throwIfAborted();
      measured.push({ ...base, failure: (error as Error).message });
    }
  }
  return measured;
}
