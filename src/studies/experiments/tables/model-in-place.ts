import type { Budgets, Recipe } from '../../recipes/recipe.ts';
import { isSection } from '../settings.ts';

/** A model that is used instead of the recipes' own. */
export interface ModelInPlace {
  /** A folder, or a Hub id. */
  model: string;
  modelType: string;
  /** The linear modules that AdaLoRA adapts in this family, and their number. */
  targets: readonly string[];
  matrices: number;
}

/** Adapts a recipe's config to another model. Mean ranks stay the same. */
export function onModel(
  config: Record<string, unknown>,
  { model }: Recipe,
  { models }: Budgets,
  inPlace: ModelInPlace,
): Record<string, unknown> {
  const facts = models[model];
  if (!facts) return config;
  const isOwn = inPlace.modelType === facts.model_type;
  const factor = inPlace.matrices / facts.matrices;
  return Object.fromEntries(
    Object.entries({ ...config, model: inPlace.model })
      .filter(([key]) => key !== 'model_config' || isOwn)
      .map(([key, section]) => [key, sectionOn(section, inPlace.targets, factor, isOwn)]),
  );
}

function sectionOn(section: unknown, targets: readonly string[], factor: number, isOwn: boolean): unknown {
  if (!isSection(section)) return section;
  const { target, target_modules } = section as { target?: string; target_modules?: unknown };
  return {
    ...section,
    ...(target !== undefined && {
      target: target.replace(/^\d+/, (count) => `${Math.round(Number(count) * factor)}`),
    }),
    ...(target_modules !== undefined && !isOwn && { target_modules: targets }),
  };
}
