import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { AdapterKind } from '../../methods/tuners/adapter-kind.ts';
import { findKind } from '../../methods/tuners/registry.ts';
import { FROZEN, type TunedValues, type Tuner } from '../../methods/tuners/tuner.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { InvalidFile } from '../../support/user-error.ts';

/**
 * Checks that every parameter is in the adapter or the base model.
 *
 * @throws UserError for a parameter that would have random values
 */
export function checkHead({ initialized }: LoadedModel, { tuner }: { tuner: Tuner }, where: string): void {
  const untrained = initialized.filter((name) => !tuner.layout.find(name));
  if (untrained.length === 0) return;
  throw new InvalidFile({
    where,
    fault: `lacks the trained ${untrained.join(', ')}, and so does the base model`,
  });
}

/** An adapter, and the kind of adapter that can read it. */
export interface KnownAdapter {
  stored: StoredAdapter;
  kind: AdapterKind;
}

/** @throws UserError for an adapter that no method here supports */
export function knownAdapter(stored: StoredAdapter, where: string): KnownAdapter {
  return { stored, kind: findKind(stored, where) };
}

/**
 * Puts an adapter on a model. Without one, the model is frozen.
 *
 * @param where the adapter's name for messages
 * @throws UserError for an adapter of another model, and for an untrained head
 */
export function tuneModel(model: LoadedModel, adapter: KnownAdapter | undefined, where: string): TunedValues {
  const tuned = adapter ? adapter.kind.import(model, adapter.stored, where) : FROZEN;
  checkHead(model, tuned, where);
  return tuned;
}
